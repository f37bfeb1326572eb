namespace Sdxl.Local.Tests.Functions;

/// <summary>What the sample functions did, in order; a test can wait for the next line.</summary>
public sealed class SampleLog
{
    private readonly Lock gate = new();
    private readonly List<string> lines = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(string line)
    {
        lock (gate)
        {
            lines.Add(line);
            changed.SetResult();
            changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public async Task<List<string>> Until(int count)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (lines.Count >= count)
                    return [.. lines];
                next = changed.Task;
            }
            await next.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }
}
