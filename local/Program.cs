// Runs the product on one machine: `host` is everything, `worker` is the child that trains and draws.
using Sdxl.Local.Hosting;

try
{
    var arguments = LocalArguments.Parse(args);
    return arguments.Verb == "worker" ? await WorkerHost.RunAsync(arguments) : await LocalHost.RunAsync(arguments);
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
