// Runs the product on one machine: the functions app and the GPU worker as they are deployed, with Azurite, queues and a small Functions
// host around them.

try
{
    var arguments = LocalArguments.Parse(args);
    if (arguments.LogFile is not null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(arguments.LogFile))!);
        var log = TextWriter.Synchronized(new StreamWriter(arguments.LogFile) { AutoFlush = true });
        Console.SetOut(log);
        Console.SetError(log);
        Signals.LeaveTerminal();
    }
    return await LocalHost.RunAsync(arguments);
}
catch (FormatException error)
{
    await Console.Error.WriteLineAsync($"{error.Message}\n{LocalArguments.Usage}");
    return 2;
}
catch (Exception error)
    when (error is InvalidOperationException or IOException or InvalidDataException or Azure.RequestFailedException)
{
    await Console.Error.WriteLineAsync(error.Message);
    return 1;
}
