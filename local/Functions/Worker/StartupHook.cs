/// <summary>Runs inside the worker, before its Main (DOTNET_STARTUP_HOOKS): ends it when the host is gone, however that ended.</summary>
/// <remarks>
/// Standard input is a pipe that only the host holds open, so its end is the host's end, even at kill -9; this works alike on every system,
/// without polling and without mistaking a reused process id. The name and the missing namespace are what the runtime looks for.
/// </remarks>
internal static class StartupHook
{
    public const string Variable = "DOTNET_STARTUP_HOOKS";

    public static void Initialize()
    {
        Environment.SetEnvironmentVariable(Variable, null); // the worker's own children are not to read our pipe
        new Thread(WaitForTheHostsEnd) { IsBackground = true, Name = "Host watch" }.Start();
    }

    private static void WaitForTheHostsEnd()
    {
        try
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
                // The host writes nothing.
            }
        }
        catch (IOException)
        {
            // A broken pipe is an end too.
        }
        // Not Exit: a host that is gone can take no answer, and a worker that shuts down slowly would still be writing.
        Process.GetCurrentProcess().Kill();
    }
}
