using System.CommandLine;
using System.Text.Json.Nodes;
using Sdxl.Cli.Hosting;
using Sdxl.Cli.Models;
using Sdxl.Cli.Show;
using Sdxl.Core.Bases;
using Sdxl.Core.Storage;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl up: the host stays up until Ctrl-C.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var command = new Command("up",
            """
            Start the host and keep it up until Ctrl-C: blob storage, the functions with their HTTP API, and the worker.
            What was running when it was last stopped goes on.

            Examples:
              ./sdxl up
              ./sdxl up --base sdxl          trainings that name no base model start from the real SDXL
            """);
        var baseModel = CommonOptions.Base();
        var json = CommonOptions.Json();
        command.Options.Add(baseModel);
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(baseModel) ?? CommonOptions.StandardBase, parsed.GetValue(json), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string baseModel, bool json, CancellationToken cancel)
    {
        BaseFiles.Require(baseModel, BaseParts.Nets);
        // No live display: it stays for hours and would fight with what else is typed.
        IShow show = json ? new JsonShow(Console.Out) : new PlainShow(Console.Out);
        await using var host = await HostLink.OpenAsync(show, baseModel, cancel);
        if (!host.IsOurs)
            throw new CliException($"A host is up already on {Places.Home}: {host.File.Url} (process {host.File.Pid}). Use that, or stop it first.");
        show.Result(
            new JsonObject { ["url"] = host.File.Url.ToString(), ["storage"] = host.File.StorageConnectionString, ["pid"] = host.File.Pid },
            [
                $"The host is up: {host.File.Url}",
                .. BaseFiles.Load(baseModel).HasSafetyChecker ? Array.Empty<string>() : [$"  base      {baseModel}, which has no safety checker: nothing looks at what it draws"],
                $"  storage   {host.File.StorageConnectionString}",
                "",
                "Train: drop an archive into the container 'uploads' with any Azure tool, for example",
                $"  az storage blob upload -c {StorageLayout.Uploads} -f my.zip -n my.zip --connection-string \"{host.File.StorageConnectionString}\"",
                "or send it over HTTP, or use the command line from another terminal:",
                $"  curl -F input_images=@my.zip -F name=cat {host.File.Url}api/trainings",
                "  ./sdxl train my.zip --name cat",
                "",
                "./sdxl status shows what goes on. Ctrl-C stops the host; a running training goes on when it is started again.",
            ]);
        try
        {
            await host.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            if (!json)
                Console.WriteLine("stopping");
            return CommandRunner.Canceled;
        }
        throw new CliException($"The host has stopped by itself; its log: {Path.Combine(Places.Home, "logs", "host.log")}");
    }
}
