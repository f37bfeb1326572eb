namespace Sdxl.Local.Hosting;

/// <summary>One line a message, with the time; the libraries' chatter is left out.</summary>
internal static class LocalLogging
{
    public static void Configure(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });
        logging
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Azure", LogLevel.Warning)
            .AddFilter("System", LogLevel.Warning)
            .AddFilter("Yarp", LogLevel.Warning)
            .AddFilter("Grpc", LogLevel.Warning)
            .AddFilter("DurableTask", LogLevel.Warning);
    }
}
