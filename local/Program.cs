// Runs the product on one machine: `host` is everything, `worker` is the child that trains and draws.
using Sdxl.Local.Hosting;

try
{
    var arguments = LocalArguments.Parse(args);
#if HAS_WORKER
    return arguments.Verb == "worker" ? await WorkerHost.RunAsync(arguments) : await LocalHost.RunAsync(arguments);
#else
    return arguments.Verb == "worker" ? throw new InvalidOperationException("This build has no worker: diffusion/Pipelines is missing.") : await LocalHost.RunAsync(arguments);
#endif
}
catch (FormatException error)
{
    await Console.Error.WriteLineAsync($"{error.Message}\n{LocalArguments.Usage}");
    return 2;
}
catch (InvalidOperationException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return 1;
}
