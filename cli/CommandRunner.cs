using System.CommandLine;
using System.Runtime.InteropServices;
using Azure;
using Sdxl.Cli.Show;
using Sdxl.Core.Json;

namespace Sdxl.Cli;

/// <summary>
/// Runs a command: Ctrl-C and SIGTERM cancel it (a second Ctrl-C gives up at once), failures become one sentence and an exit code.
/// </summary>
internal static class CommandRunner
{
    public const int Succeeded = 0;
    public const int Failed = 1;
    public const int Canceled = 130; // 128 + SIGINT, what shells expect

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        using var cancel = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        HelpText.Use(root);
        var parsed = root.Parse(args);
        try
        {
            if (args.Length == 0)
            {
                HelpText.Write(root, Console.Out);
                return Succeeded;
            }
            if (Misuse.Of(parsed) is { } misuse && parsed.Action is not HelpText)
                throw new CliException(misuse);
            if (parsed.GetValue(Commands.CommonOptions.Url) is { } url)
                Environment.SetEnvironmentVariable(Hosting.Remote.UrlVariable, url);
            return await parsed.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
                cancel.Token
            );
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return Canceled;
        }
        catch (Exception e) when (Sentence(e) is { } sentence)
        {
            if (args.Contains("--json"))
                Console.Out.WriteLine(SdxlJson.Serialize(new { error = sentence }));
            Console.Error.WriteLine(sentence);
            return Failed;
        }

        void Stop(PosixSignalContext signal)
        {
            if (cancel.IsCancellationRequested)
                Environment.Exit(Canceled);
            signal.Cancel = true;
            cancel.Cancel();
        }
    }

    /// <summary>What went wrong in a sentence for the user; null for defects of ours, which deserve their stack trace.</summary>
    internal static string? Sentence(Exception e) =>
        e switch
        {
            // What the blob client throws after its last try: every try's exception, mostly the same one.
            AggregateException many => many.Flatten().InnerExceptions.Select(Sentence).LastOrDefault(sentence => sentence is not null),
            CliException => e.Message,
            HttpRequestException when Hosting.Remote.Current() is { } remote =>
                $"{remote.Url} does not answer: {e.Message.TrimEnd('.')}. Check the address; ./sdxl logout goes back to this machine's own "
                    + "host.",
            HttpRequestException =>
                $"The host does not answer: {e.Message.TrimEnd('.')}. See its log with ./sdxl status, or start it with ./sdxl up.",
            RequestFailedException { Status: 0 } silent =>
                $"Blob storage does not answer: {silent.Message.Split('\n')[0].TrimEnd('.')}. See the host's log with ./sdxl status, or "
                    + "start it with ./sdxl up.",
            RequestFailedException failed => $"Blob storage answered {failed.Status} {failed.ErrorCode}: {failed.Message.Split('\n')[0]}",
            IOException or UnauthorizedAccessException => e.Message,
            _ => null,
        };
}
