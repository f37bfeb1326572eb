namespace Sdxl.Core.Storage;

/// <summary>Where everything lies in blob storage: container names, and blob names inside them.</summary>
public static class StorageLayout
{
    /// <summary>Dropping an archive here starts a training: {name}.zip or {owner}/{name}.zip.</summary>
    public const string Uploads = "uploads";

    /// <summary>Type of the CloudEvent that tells of a new blob there, as Event Grid sends it.</summary>
    public const string BlobCreated = "Microsoft.Storage.BlobCreated";

    /// <summary>Unpacked and prepared data sets: {id}/raw/…, {id}/pictures/…, {id}/masks/…, {id}/manifest.json, {id}/report.html.</summary>
    public const string Datasets = "datasets";

    /// <summary>What belongs to a running job: progress, log, files that came as inputs, checkpoints, unpublished output, the cancel mark.</summary>
    public const string Jobs = "jobs";

    /// <summary>Published versions: {owner}/{name}/versions/{version}/…; {owner}/{name}/model.json names the latest.</summary>
    public const string Models = "models";

    /// <summary>State of record: trainings/{id}.json, predictions/{id}.json, and index/… whose names sort newest first.</summary>
    public const string Records = "records";

    /// <summary>Drawn pictures: {id}/out-N.png.</summary>
    public const string Predictions = "predictions";

    public static IReadOnlyList<string> Containers { get; } = [Uploads, Datasets, Jobs, Models, Records, Predictions];

    public static string PictureFile(int index) => FormattableString.Invariant($"pictures/{index:D3}.png");
    public static string MaskFile(int index) => FormattableString.Invariant($"masks/{index:D3}.png");
    public static string ThumbnailFile(int index) => FormattableString.Invariant($"thumbnails/{index:D3}.jpg");
    public static string Dataset(string id, string file) => $"{id}/{file}";
    public const string ManifestFile = "manifest.json";
    public const string ReportFile = "report.json";
    public const string ReportPage = "report.html";

    public static string Progress(string jobId) => $"{jobId}/progress.json";
    public static string Log(string jobId) => $"{jobId}/log.txt";
    public static string CancelMark(string jobId) => $"{jobId}/cancel";
    /// <summary>A file that came with the job: the input's name, then the file's own.</summary>
    public static string JobInput(string jobId, string field, string file) => $"{JobInputs(jobId)}{field}/{file}";
    public static string JobInputs(string jobId) => $"{jobId}/inputs/";

    public static string JobOutput(string jobId, string file) => $"{jobId}/output/{file}";
    /// <summary>What tells of a finished run without being part of its version: measured times and memory.</summary>
    public static string JobRun(string jobId, string file) => $"{jobId}/run/{file}";

    /// <summary>Among a run's files: one line of JSON a step.</summary>
    public const string MetricsFile = "metrics.jsonl";

    /// <summary>What a GPU worker says of itself.</summary>
    public static string Worker(string name) => $"{Workers}{name}.json";
    public const string Workers = "workers/";

    public static string CheckpointPrefix(string jobId) => $"{jobId}/checkpoints/";

    public static string VersionPrefix(string owner, string name, string version) => $"{owner}/{name}/versions/{version}/";
    public static string Version(string owner, string name, string version, string file) => VersionPrefix(owner, name, version) + file;
    public static string ModelDocument(string owner, string name) => $"{owner}/{name}/model.json";

    public static string TrainingRecord(string id) => $"trainings/{id}.json";
    public static string PredictionRecord(string id) => $"predictions/{id}.json";

    /// <summary>An empty blob whose name sorts newest first: lists come in that order without reading the records.</summary>
    public static string TrainingIndex(DateTimeOffset created, string id) => $"index/trainings/{Inverted(created)}-{id}";

    /// <inheritdoc cref="TrainingIndex"/>
    public static string PredictionIndex(DateTimeOffset created, string id) => $"index/predictions/{Inverted(created)}-{id}";

    private static string Inverted(DateTimeOffset time) =>
        (DateTimeOffset.MaxValue.UtcTicks - time.UtcTicks).ToString("D19", System.Globalization.CultureInfo.InvariantCulture);
}
