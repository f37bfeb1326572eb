namespace Sdxl.Local.Functions.Worker;

/// <summary>
/// The operating system's process of a worker. It ends with this process, however this one ends: see <see cref="StartupHook"/>.
/// </summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly Process process;

    private WorkerProcess(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>Valid after <see cref="Exited"/>.</summary>
    public int ExitCode => process.ExitCode;

    public required Task Exited { get; init; }

    /// <param name="grpc">Where FunctionRpc is served.</param>
    public static WorkerProcess Start(FunctionsHostOptions options, Uri grpc, string workerId, ILogger logger)
    {
        var command = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        [
            Path.GetFullPath(options.AppDll), "--functions-uri", grpc.ToString(), "--functions-worker-id", workerId,
            "--functions-request-id", workerId, "--functions-grpc-max-message-length", "2147483647",
        ])
        {
            WorkingDirectory = options.AppFolder,
            RedirectStandardInput = true, // held open as long as we live
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var foreign in command.Environment.Keys.Where(name => name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToList())
            command.Environment.Remove(foreign); // the worker's web server would take our address
        foreach (var (name, value) in options.Settings)
            command.Environment[name] = value;
        command.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = options.AppFolder; // without it no function loads
        command.Environment["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
        command.Environment[StartupHook.Variable] = typeof(WorkerProcess).Assembly.Location;

        Process process;
        try
        {
            process = Process.Start(command)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException(
                $"The functions worker cannot be started: '{command.FileName}': {exception.Message}. Put dotnet on the PATH.", exception);
        }
        process.OutputDataReceived += (_, line) => Forward(logger, LogLevel.Information, line.Data);
        process.ErrorDataReceived += (_, line) => Forward(logger, LogLevel.Error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new WorkerProcess(process) { Exited = process.WaitForExitAsync() };
    }

    /// <summary>Waits for the end, asks for it by SIGTERM, then kills; <paramref name="patience"/> for each of the first two.</summary>
    public async Task EndAsync(TimeSpan patience)
    {
        if (await EndsWithin(patience))
            return;
        Signals.AskToEnd(process);
        if (await EndsWithin(patience))
            return;
        process.Kill(entireProcessTree: true);
        await Exited;
    }

    public void Kill()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
    }

    public void Dispose() => process.Dispose();

    private async Task<bool> EndsWithin(TimeSpan patience)
    {
        await Exited.WaitAsync(patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Exited.IsCompleted;
    }

    private static void Forward(ILogger logger, LogLevel level, string? line)
    {
        if (line is not null)
            logger.WorkerSaid(level, line);
    }
}
