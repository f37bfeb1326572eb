using Spectre.Console;

namespace Sdxl.Cli.Show;

/// <summary>Chooses how to show: --json, a terminal, or a pipe.</summary>
internal static class Shows
{
    public static async Task<T> RunAsync<T>(bool json, Func<IShow, Task<T>> action)
    {
        if (json)
            return await action(new JsonShow(Console.Out));
        // Bars want a terminal that moves its cursor. Where Spectre sees none (TERM, a build service's variables) its bars show nothing at
        // all: lines do.
        var capabilities = AnsiConsole.Profile.Capabilities;
        var live =
            !Console.IsOutputRedirected
            && capabilities.Ansi
            && capabilities.Interactive
            && Environment.GetEnvironmentVariable("TERM") is not "dumb";
        return live ? await LiveShow.RunAsync(AnsiConsole.Console, action) : await action(new PlainShow(Console.Out));
    }

    /// <summary>"2 min 5 s", "48 s", "1 h 3 min".</summary>
    public static string Duration(double seconds)
    {
        var whole = (long)Math.Round(Math.Max(0, seconds));
        return whole switch
        {
            < 60 => FormattableString.Invariant($"{whole} s"),
            < 3600 => FormattableString.Invariant($"{whole / 60} min {whole % 60} s"),
            _ => FormattableString.Invariant($"{whole / 3600} h {whole % 3600 / 60} min"),
        };
    }

    /// <summary>"loss 0.123, 5.6 steps/s, 2 min 5 s left"; what is unknown is left out.</summary>
    public static string Speed(double? loss, double? stepsPerSecond, double? secondsLeft) => string.Join(", ", new[]
    {
        loss is { } l ? FormattableString.Invariant($"loss {l:0.0000}") : null,
        stepsPerSecond is { } s ? FormattableString.Invariant($"{s:0.0#} steps/s") : null,
        secondsLeft is { } left ? $"{Duration(left)} left" : null,
    }.Where(part => part is not null));
}
