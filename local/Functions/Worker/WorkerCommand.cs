namespace Sdxl.Local.Functions.Worker;

/// <summary>How a worker is started. It ends with this process, however this one ends: see <see cref="StartupHook"/>.</summary>
internal static class WorkerCommand
{
    /// <param name="grpc">Where FunctionRpc is served.</param>
    public static ProcessStartInfo For(FunctionsHostOptions options, Uri grpc, string workerId)
    {
        var command = new ProcessStartInfo("dotnet",
        [
            Path.GetFullPath(options.AppDll), "--functions-uri", grpc.ToString(), "--functions-worker-id", workerId,
            "--functions-request-id", workerId, "--functions-grpc-max-message-length", "2147483647",
        ])
        {
            WorkingDirectory = options.AppFolder,
        };
        foreach (var foreign in command.Environment.Keys.Where(name => name.StartsWith("ASPNETCORE_", StringComparison.Ordinal)).ToList())
            command.Environment.Remove(foreign); // the worker's web server would take our address
        foreach (var (name, value) in options.Settings)
            command.Environment[name] = value;
        command.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = options.AppFolder; // without it no function loads
        command.Environment["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
        command.Environment[StartupHook.Variable] = typeof(StartupHook).Assembly.Location;
        return command;
    }
}
