using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Azure.Messaging.ServiceBus;
using Azure.Storage.Blobs.Models;
using Sdxl.Core.Faults;
using Sdxl.Core.Messages;
using Sdxl.EndToEnd.Tests;

namespace Sdxl.Campaign.Tests;

/// <summary>A local host that schedules are played against, one after another.</summary>
public sealed class Ring : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly List<Process> _others = [];
    private readonly List<Task> _lasting = [];
    private readonly List<string> _drawn = [];
    private readonly DirectoryInfo _own = Directory.CreateTempSubdirectory("sdxl-campaign-");
    private readonly ShiftedClock _clock;

    public Ring()
    {
        _clock = new ShiftedClock(_own.FullName);
        File.WriteAllText(DiskFault, ""); // it has happened: the disk is not full until a schedule says so
    }

    public LocalHostProcess Host { get; } = new();

    private string DiskFault => Path.Combine(_own.FullName, "disk-was-full");

    public Task StartAsync() =>
        Host.StartAsync([(FaultPoints.Variable, $"{FaultPoints.TrainingStep}:disk:{DiskFault}"), .. _clock.Environment()]);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_lasting);
        KillOthers();
        await Host.DisposeAsync();
        _own.Delete(recursive: true);
    }

    /// <summary>Starts a training, strikes, and waits for its end and that of the pictures asked for beside it.</summary>
    public async Task<(JsonObject Training, IReadOnlyList<JsonObject> Drawn)> PlayAsync(Schedule schedule, string name, int steps)
    {
        var id = await StartTrainingAsync(name, steps);
        var watch = Stopwatch.StartNew();
        foreach (var stroke in schedule.Strokes)
        {
            if (stroke.After > watch.Elapsed)
                await Task.Delay(stroke.After - watch.Elapsed); // the moment of a stroke is what the schedule is about
            await StrikeAsync(stroke, id);
        }
        await Task.WhenAll(_lasting); // standstills that outlast the strokes
        _lasting.Clear();
        var end = await Host.EndOfTrainingAsync(id, timeoutSeconds: 300);
        var drawn = new List<JsonObject>();
        foreach (var prediction in _drawn)
            drawn.Add(await EndOfPredictionAsync(prediction));
        _drawn.Clear();
        KillOthers();
        return (end, drawn);
    }

    public async Task<string> StartTrainingAsync(string name, int steps)
    {
        var answer = await Host.PostAsync(
            Short.Dataset("gizmo.zip"),
            "gizmo.zip",
            Short.Training(
                steps,
                ("name", name),
                ("checkpointing_steps", "5"),
                ("sample_prompts", "a photo of TOK"),
                ("sample_every_steps", "10")
            )
        );
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["id"]!.GetValue<string>();
    }

    /// <summary>Messages that wait in a queue, dead letters apart.</summary>
    public async Task<int> MessagesAsync(string queue)
    {
        await using var client = new ServiceBusClient(await ConnectionAsync());
        await using var receiver = client.CreateReceiver(queue);
        return (await receiver.PeekMessagesAsync(100)).Count;
    }

    public async Task<List<string>> BlobsAsync(string container, string prefix)
    {
        var names = new List<string>();
        await foreach (
            var blob in Host
                .Blobs.GetBlobContainerClient(container)
                .GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, CancellationToken.None)
        )
            names.Add(blob.Name[prefix.Length..]);
        return names;
    }

    private async Task StrikeAsync(Stroke stroke, string id)
    {
        switch (stroke.Blow)
        {
            case Blow.KillHost:
                await Host.KillAsync();
                await StartAsync();
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
                await WakeAsync(Host.ProcessId, stroke.Lasting); // whoever would strike next needs the host
                break;
            case Blow.SecondWorker:
                if (Host.WorkerProcesses().Any())
                    _others.Add(Host.StartAnotherWorker());
                break;
            case Blow.DuplicateMessage:
                await DuplicateAsync(id);
                break;
            case Blow.ScrambleEvents:
                _lasting.Add(ScrambleAsync(Queues.WorkerEvents, stroke.Lasting));
                break;
            case Blow.DiskFull:
                File.Delete(DiskFault);
                break;
            case Blow.ClockJump:
                _clock.Jump(stroke.Lasting);
                break;
            case Blow.Draw:
                _drawn.Add(await AskForPictureAsync());
                break;
            case Blow.Cancel:
                await AskAsync(() => new HttpRequestMessage(HttpMethod.Post, $"v1/trainings/{id}/cancel"));
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
            _lasting.Add(WakeAsync(process, lasting));
    }

    private static async Task WakeAsync(int process, TimeSpan after)
    {
        LocalHostProcess.Signal(process, "STOP");
        await Task.Delay(after);
        LocalHostProcess.Signal(process, "CONT");
    }

    private async Task DuplicateAsync(string id)
    {
        await using var client = new ServiceBusClient(await ConnectionAsync());
        await using var receiver = client.CreateReceiver(Queues.Trainings);
        if (
            (await receiver.PeekMessagesAsync(100)).FirstOrDefault(message => message.MessageId.Contains(id, StringComparison.Ordinal))
            is not { } message
        )
            return; // not dispatched yet, or done
        await using var sender = client.CreateSender(Queues.Trainings);
        await sender.SendMessageAsync(Again(message));
    }

    /// <summary>Takes what comes to a queue for a while, faster than its reader or not, and gives it back last first, each twice.</summary>
    private async Task ScrambleAsync(string queue, TimeSpan lasting)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            await using var client = new ServiceBusClient(await ConnectionAsync());
            await using var receiver = client.CreateReceiver(queue);
            var held = new Stack<ServiceBusReceivedMessage>();
            while (lasting - watch.Elapsed is var left && left > TimeSpan.Zero)
            {
                if (await receiver.ReceiveMessageAsync(left) is { } message)
                    held.Push(message);
            }
            await using var sender = client.CreateSender(queue);
            foreach (var message in held)
            {
                await sender.SendMessageAsync(Again(message));
                await receiver.AbandonMessageAsync(message);
            }
        }
        catch (ServiceBusException)
        {
            // The host was killed meanwhile: its queues give back what was held.
        }
    }

    private static ServiceBusMessage Again(ServiceBusReceivedMessage message) =>
        new(message.Body) { MessageId = $"{message.MessageId}/again", ContentType = message.ContentType };

    private async Task<string> AskForPictureAsync()
    {
        var key = Guid.NewGuid().ToString(); // asked twice it is one picture
        var body = new { input = new { prompt = "a photo of TOK", num_inference_steps = 2, disable_safety_checker = true } };
        var prediction = await AskAsync(() =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "v1/predictions") { Content = JsonContent.Create(body) };
            request.Headers.Add("Idempotency-Key", key);
            return request;
        });
        return prediction["id"]!.GetValue<string>();
    }

    private Task<JsonObject> EndOfPredictionAsync(string id) => Host.EventuallyAsync(
        async () => await AskAsync(() => new HttpRequestMessage(HttpMethod.Get, $"v1/predictions/{id}")) is var now
            && now["status"]!.GetValue<string>() is "succeeded" or "failed" or "canceled" ? now : null,
        TimeSpan.FromMinutes(5),
        $"the end of prediction {id}");

    /// <summary>As a client that tries again does: until something answers that is not down.</summary>
    private async Task<JsonObject> AskAsync(Func<HttpRequestMessage> request) => await Host.EventuallyAsync(
        async () =>
        {
            try
            {
                using var asked = request();
                using var answer = await Host.Http.SendAsync(asked);
                if ((int)answer.StatusCode >= 500)
                    return null;
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.IsSuccessStatusCode, $"{asked.Method} {asked.RequestUri} answered {(int)answer.StatusCode}: {text}");
                return JsonNode.Parse(text)!.AsObject();
            }
            catch (HttpRequestException)
            {
                return null;
            }
        },
        Patience,
        "an answer");

    /// <summary>Of the queues, as the functions app has it; where that was just killed, as its successor will.</summary>
    private async Task<string> ConnectionAsync()
    {
        const string Setting = "SdxlServiceBus=";
        var line = await Host.EventuallyAsync(
            () => Task.FromResult(Host.Children("Sdxl.Functions.dll").Take(1).SelectMany(EnvironmentOf)
                .FirstOrDefault(line => line.StartsWith(Setting, StringComparison.Ordinal))),
            Patience, "the functions app");
        return line[Setting.Length..];
    }

    private static string[] EnvironmentOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/environ").Split('\0');
        }
        catch (IOException)
        {
            return []; // it has ended
        }
    }

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
