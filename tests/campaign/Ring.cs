using System.Diagnostics;
using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Messages;
using Sdxl.EndToEnd.Tests;

namespace Sdxl.Campaign.Tests;

/// <summary>A local host that schedules are played against, one after another.</summary>
public sealed class Ring : IAsyncDisposable
{
    private readonly List<Process> _others = [];
    private readonly List<Task> _waking = [];

    public LocalHostProcess Host { get; } = new();

    public Task StartAsync() => Host.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_waking);
        KillOthers();
        await Host.DisposeAsync();
    }

    /// <summary>Starts a training, strikes, and waits for its end.</summary>
    public async Task<JsonObject> PlayAsync(Schedule schedule, string name, int steps)
    {
        var id = await StartTrainingAsync(name, steps);
        var watch = Stopwatch.StartNew();
        foreach (var stroke in schedule.Strokes)
        {
            if (stroke.After > watch.Elapsed)
                await Task.Delay(stroke.After - watch.Elapsed); // the moment of a stroke is what the schedule is about
            await StrikeAsync(stroke, id);
        }
        await Task.WhenAll(_waking); // standstills that outlast the strokes
        _waking.Clear();
        var end = await Host.EndOfTrainingAsync(id, timeoutSeconds: 300);
        KillOthers();
        return end;
    }

    public async Task<string> StartTrainingAsync(string name, int steps)
    {
        var answer = await Host.PostAsync(
            Short.Dataset("gizmo.zip"), "gizmo.zip",
            Short.Training(steps, ("name", name), ("checkpointing_steps", "5"), ("sample_prompts", "a photo of TOK"), ("sample_every_steps", "10")));
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
    }

    /// <summary>Messages that wait in a queue, dead letters apart.</summary>
    public async Task<int> MessagesAsync(string queue)
    {
        await using var client = new ServiceBusClient(Connection());
        await using var receiver = client.CreateReceiver(queue);
        return (await receiver.PeekMessagesAsync(100)).Count;
    }

    public async Task<List<string>> BlobsAsync(string container, string prefix)
    {
        var names = new List<string>();
        await foreach (var blob in Host.Blobs.GetBlobContainerClient(container).GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, CancellationToken.None))
            names.Add(blob.Name[prefix.Length..]);
        return names;
    }

    private async Task StrikeAsync(Stroke stroke, string id)
    {
        switch (stroke.Blow)
        {
            case Blow.KillHost:
                await Host.KillAsync();
                await Host.StartAsync();
                break;
            case Blow.KillFunctions:
                SignalAll("Sdxl.Functions.dll", "KILL");
                break;
            case Blow.KillWorker:
                SignalAll("Sdxl.GpuWorker.dll", "KILL");
                break;
            case Blow.KillStorage:
                SignalAll("main.js", "KILL");
                break;
            case Blow.StopWorker:
                StandStill("Sdxl.GpuWorker.dll", stroke.Lasting);
                break;
            case Blow.StopStorage:
                StandStill("main.js", stroke.Lasting);
                break;
            case Blow.StopFunctions:
                StandStill("Sdxl.Functions.dll", stroke.Lasting);
                break;
            case Blow.StopHost:
                _waking.Add(WakeAsync(Host.ProcessId, stroke.Lasting));
                await _waking[^1]; // whoever would strike next needs the host
                break;
            case Blow.SecondWorker:
                if (Host.WorkerProcesses().Any())
                    _others.Add(Host.StartAnotherWorker());
                break;
            case Blow.DuplicateMessage:
                await DuplicateAsync(id);
                break;
            case Blow.Cancel:
                await Host.CancelAsync(id);
                break;
        }
    }

    private void SignalAll(string program, string signal)
    {
        foreach (var process in Host.Children(program).ToList())
            LocalHostProcess.Signal(process, signal);
    }

    private void StandStill(string program, TimeSpan lasting)
    {
        foreach (var process in Host.Children(program).ToList())
            _waking.Add(WakeAsync(process, lasting));
    }

    private static async Task WakeAsync(int process, TimeSpan after)
    {
        LocalHostProcess.Signal(process, "STOP");
        await Task.Delay(after);
        LocalHostProcess.Signal(process, "CONT");
    }

    private async Task DuplicateAsync(string id)
    {
        await using var client = new ServiceBusClient(Connection());
        await using var receiver = client.CreateReceiver(Queues.Trainings);
        if ((await receiver.PeekMessagesAsync(100)).FirstOrDefault(message => message.MessageId.Contains(id, StringComparison.Ordinal)) is not { } message)
            return; // not dispatched yet, or done
        await using var sender = client.CreateSender(Queues.Trainings);
        await sender.SendMessageAsync(new ServiceBusMessage(message.Body) { MessageId = $"{message.MessageId}/again", ContentType = message.ContentType });
    }

    private string Connection() => File.ReadAllText($"/proc/{Host.Children("Sdxl.Functions.dll").First()}/environ").Split('\0')
        .Single(line => line.StartsWith("SdxlServiceBus=", StringComparison.Ordinal))["SdxlServiceBus=".Length..];

    private void KillOthers()
    {
        foreach (var other in _others)
        {
            other.Kill();
            other.Dispose();
        }
        _others.Clear();
    }
}
