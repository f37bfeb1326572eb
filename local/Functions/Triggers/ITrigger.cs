namespace Sdxl.Local.Functions.Triggers;

/// <summary>What fires one function, from the host's start to its stop.</summary>
internal interface ITrigger
{
    /// <exception cref="InvalidOperationException">The binding or a setting is wrong; the message says what to do.</exception>
    Task StartAsync();

    /// <summary>Fires no more and waits for what runs; cancels it after <paramref name="patience"/>.</summary>
    Task StopAsync(TimeSpan patience);
}
