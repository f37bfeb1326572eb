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
              ./sdxl up --listen 10.0.0.5    workers on other machines may take jobs: prints what to run there
              ./sdxl up --otlp http://127.0.0.1:4317      traces, measurements and logs go to a collector (Jaeger, Aspire's dashboard, …)
            """);
        var baseModel = CommonOptions.Base();
        var json = CommonOptions.Json();
        command.Options.Add(baseModel);
        var listen = new Option<string?>("--listen")
        {
            HelpName = "ADDRESS",
            Description =
                "An address of this machine at which workers on other machines reach its storage and its queues, with keys of this state "
                    + "folder; the HTTP API stays on this machine. Without it nothing is open to others.",
        };
        var noWorker = new Option<bool>("--no-worker")
        {
            Description =
                "Train and draw on other machines only: this one takes no job, so that a slow processor does not take what a GPU elsewhere "
                    + "would.",
        };
        var otlp = new Option<Uri?>("--otlp")
        {
            HelpName = "ADDRESS",
            Description =
                "Address of an OpenTelemetry collector (gRPC; for http/protobuf set OTEL_EXPORTER_OTLP_PROTOCOL too). Without it, and "
                    + "without OTEL_EXPORTER_OTLP_ENDPOINT, nothing is sent anywhere.",
            CustomParser = parsed =>
                Uri.TryCreate(parsed.Tokens[0].Value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                    ? address
                    : Refuse(parsed),
        };
        command.Options.Add(listen);
        command.Options.Add(otlp);
        command.Options.Add(noWorker);
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed.GetValue(baseModel) ?? CommonOptions.StandardBase,
                    parsed.GetValue(listen),
                    !parsed.GetValue(noWorker),
                    parsed.GetValue(otlp),
                    parsed.GetValue(json),
                    cancel
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        string baseModel,
        string? listen,
        bool hasWorker,
        Uri? otlp,
        bool json,
        CancellationToken cancel
    )
    {
        BaseFiles.Require(baseModel, BaseParts.Nets);
        // No live display: it stays for hours and would fight with what else is typed.
        IShow show = json ? new JsonShow(Console.Out) : new PlainShow(Console.Out);
        await using var host = await HostLink.OpenAsync(show, baseModel, cancel, listen, hasWorker, isHere: true, otlp: otlp);
        if (!host.IsOurs)
            throw new CliException(
                $"A host is up already on {Places.Home}: {host.File.Url} (process {host.File.Pid}). Use that, or stop it first."
            );
        var page = await host.Api.SignInLinkAsync(cancel);
        show.Result(
            new JsonObject
            {
                ["url"] = host.File.Url.ToString(),
                ["page"] = page,
                ["storage"] = host.File.StorageConnectionString,
                ["token"] = host.File.Token,
                ["pid"] = host.File.Pid,
                ["join"] = host.File.Join,
            },
            [
                $"The host is up: {host.File.Url}",
                .. BaseFiles.Load(baseModel).HasSafetyChecker
                    ? Array.Empty<string>()
                    : [$"  base      {baseModel}, which has no safety checker: nothing looks at what it draws"],
                $"  page      {page}  (signs one browser in, within ten minutes)",
                $"  token     {host.File.Token}",
                $"  storage   {host.File.StorageConnectionString}",
                .. Joining(host.File.Join, listen),
                "",
                "Train: drop an archive into the container 'uploads' with any Azure tool, for example",
                $"  az storage blob upload -c {StorageLayout.Uploads} -f my.zip -n my.zip --connection-string "
                    + $"\"{host.File.StorageConnectionString}\"",
                "or send it over HTTP, or use the command line from another terminal:",
                $"  curl -H \"Authorization: Bearer {host.File.Token}\" -F input_images=@my.zip -F name=cat {host.File.Url}v1/trainings",
                $"Replicate's own clients: REPLICATE_BASE_URL={host.File.Url}v1 REPLICATE_API_TOKEN={host.File.Token}",
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

    private static Uri? Refuse(System.CommandLine.Parsing.ArgumentResult parsed)
    {
        parsed.AddError($"--otlp needs an address as in http://127.0.0.1:4317, found '{parsed.Tokens[0].Value}'.");
        return null;
    }

    private static IEnumerable<string> Joining(string? join, string? listen) =>
        join is null
            ? []
            :
            [
                "",
                $"Storage and queues are open at {listen}, for whoever has the word below; keep it like a password. They speak plain TCP: "
                    + "on a network that is not yours alone, put a",
                "tunnel (WireGuard, ssh -L) between the machines. The HTTP API is open to this machine only. On a machine with a GPU, one "
                    + "of:",
                $"  ./sdxl worker --join {join}",
                $"  docker run --gpus all -v /models:/models -e SDXL_JOIN={join} sdxl-gpu-worker",
            ];
}
