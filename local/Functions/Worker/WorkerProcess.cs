namespace Sdxl.Local.Functions.Worker;

/// <summary>A worker's process. It ends with this one, however this one ends: see <see cref="StartupHook"/>.</summary>
internal sealed class WorkerProcess
{
    private readonly Process process;

    /// <param name="grpc">Where FunctionRpc is served.</param>
    /// <exception cref="InvalidOperationException">There is no dotnet.</exception>
    public WorkerProcess(HostContext host, Uri grpc, string workerId)
    {
        var command = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        [
            Path.GetFullPath(host.Options.AppDll), "--functions-uri", grpc.ToString(), "--functions-worker-id", workerId,
            "--functions-request-id", workerId, "--functions-grpc-max-message-length", "2147483647",
        ])
        {
            WorkingDirectory = host.Options.AppFolder,
            RedirectStandardInput = true, // held open as long as we live
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var foreign in command.Environment.Keys.Where(name => name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToList())
            command.Environment.Remove(foreign); // the worker's web server would take our address
        foreach (var (name, value) in host.Options.Settings)
            command.Environment[name] = value;
        command.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = host.Options.AppFolder; // without it no function loads
        command.Environment["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
        command.Environment[StartupHook.Variable] = typeof(WorkerProcess).Assembly.Location;
        try
        {
            process = Process.Start(command)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException(
                $"The functions worker cannot be started: '{command.FileName}': {exception.Message}. Put dotnet on the PATH.", exception);
        }
        Id = process.Id;
        process.OutputDataReceived += (_, line) => Forward(LogLevel.Information, line.Data);
        process.ErrorDataReceived += (_, line) => Forward(LogLevel.Error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Exited = process.WaitForExitAsync();

        void Forward(LogLevel level, string? line)
        {
            if (line is not null)
                host.Logger.WorkerSaid(level, line);
        }
    }

    public int Id { get; }

    public Task Exited { get; }

    /// <summary>Waits for the end, asks for it by SIGTERM, then kills; <paramref name="patience"/> for each of the first two.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync(TimeSpan patience)
    {
        using (process)
        {
            if (!await EndsWithin(patience))
                Signals.AskToEnd(process);
            if (!await EndsWithin(patience))
                process.Kill(entireProcessTree: true);
            await Exited;
            return process.ExitCode;
        }
    }

    private async Task<bool> EndsWithin(TimeSpan patience)
    {
        await Exited.WaitAsync(patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Exited.IsCompleted;
    }
}
