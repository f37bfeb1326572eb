using Microsoft.Extensions.Logging;

namespace Sdxl.Functions.Jobs;

/// <summary>
/// Storage or orchestrations that are away for a while: tried again after 1, 2, 4 … 20 s, two minutes in all, before a message goes back. A
/// Service Bus trigger redelivers at once, and would use up a message's deliveries within a second.
/// </summary>
public sealed class Outages(TimeProvider time, ILogger<Outages> log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    public async Task WaitOutAsync(Func<Task> work, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await work();
                return;
            }
            catch (Exception e)
                when (e is not System.Text.Json.JsonException && !cancel.IsCancellationRequested && time.GetElapsedTime(began) < Longest)
            {
                log.Outage(e, pause.TotalSeconds);
                await Task.Delay(pause, time, cancel);
            }
        }
    }
}
