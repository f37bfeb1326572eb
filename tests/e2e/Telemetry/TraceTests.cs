namespace Sdxl.EndToEnd.Tests.Telemetry;

/// <summary>Its host takes the machine for itself.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TraceCollection
{
    public const string Name = "trace";
}

/// <summary>What operations rest on: one trace from the upload to the published weights across host, functions, queues and worker, with the
/// measurements beside it.</summary>
[Collection(TraceCollection.Name)]
public sealed class TraceTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_training_is_one_trace_from_the_upload_to_the_weights()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var host = new LocalHostProcess();
        await host.StartAsync(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "500"), ("OTEL_BLRP_SCHEDULE_DELAY", "500"), ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
            ("Sdxl__PricePerHour", "2.61"));

        await host.UploadAsync("traced.zip", Short.Dataset("gizmo.zip"), Short.Training());
        var id = await host.TrainingOfAsync("traced");
        Assert.Equal("succeeded", (await host.EndOfTrainingAsync(id))["status"]!.ToString());
        var published = await host.EventuallyAsync(
            () => Task.FromResult(collector.Spans.FirstOrDefault(span => span.Name == "PublishVersion")),
            s_patience, "the span of the publication");
        await host.EventuallyAsync(() =>
            Task.FromResult(collector.Spans.FirstOrDefault(span => span.Name == "orchestration:TrainingOrchestrator")),
            s_patience, "the orchestration's span");

        var trace = collector.Spans.Where(span => span.TraceId == published.TraceId).ToList();
        string Path(CollectedSpan span) => trace.FirstOrDefault(other => other.SpanId == span.ParentId) is { } parent
            ? $"{Path(parent)} > {span.Name}" : span.Name;
        var paths = trace.Select(span => $"{span.Service}: {Path(span)}").ToHashSet();
        var elsewhere = collector.Spans.Where(span => span.TraceId != published.TraceId).Select(span => span.Name).Distinct();
        const string Orchestration = "UploadTrigger > create_orchestration:TrainingOrchestrator > orchestration:TrainingOrchestrator";
        var dispatched = $"{Activity("DispatchTraining")} > process trainings";
        foreach (var expected in new[]
        {
            "sdxl-functions: UploadTrigger",
            $"sdxl-host: {Orchestration}",
            $"sdxl-functions: {Activity("UnpackArchive")}",
            $"sdxl-functions: {Activity("PreparePicture")}",
            $"sdxl-functions: {Activity("DispatchTraining")}",
            $"sdxl-gpu-worker: {dispatched}",
            $"sdxl-gpu-worker: {dispatched} > fetch dataset",
            $"sdxl-gpu-worker: {dispatched} > train",
            $"sdxl-gpu-worker: {dispatched} > upload weights",
            $"sdxl-functions: {dispatched} > WorkerEvents",
            $"sdxl-functions: {Activity("PublishVersion")}",
        })
        {
            Assert.True(
                paths.Contains(expected),
                $"There is no span '{expected}'. There are:\n{string.Join('\n', paths.Order())}\nElsewhere: {string.Join(", ", elsewhere)}"
            );
        }

        // By the training's id one finds it, in spans and in the logs.
        Assert.Equal(id, trace.Single(span => span.Name == "UploadTrigger").Attributes["sdxl.job.id"]);
        Assert.Equal(id, trace.First(span => span.Name == "process trainings").Attributes["sdxl.job.id"]);
        Assert.All(trace.Where(span => span.Name == "PreparePicture"), span => Assert.Equal(id, span.Attributes["sdxl.job.id"]));
        await host.EventuallyAsync(
            () => Task.FromResult(collector.Logs.FirstOrDefault(
                line => line.TraceId == published.TraceId
                && line.Text.Contains("taken from queue", StringComparison.Ordinal)) is { Text: { } text } ? text : null),
            s_patience, "the worker's log line of this trace");

        foreach (var measurement in new[] { "sdxl.queue.wait", "sdxl.training.step_rate", "sdxl.training.memory", "sdxl.run.duration",
            "sdxl.run.cost", "sdxl.trainings.ended" })
            await host.EventuallyAsync(() => Task.FromResult(collector.Measurements.ContainsKey(measurement) ? measurement : null),
                s_patience, $"the measurement {measurement}");

        // The framework makes two spans of an activity: that it is scheduled, and that it runs; the function's own is within.
        static string Activity(string name) => $"{Orchestration} > activity:{name} > activity:{name} > {name}";
    }
}
