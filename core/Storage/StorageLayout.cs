using Sdxl.Core.Identity;

namespace Sdxl.Core.Storage;

/// <summary>
/// Where everything lies in blob storage: container names, and blob names inside them. Names begin with the owner, who cannot begin with
/// '_':
/// what does is the service's own.
/// </summary>
public static class StorageLayout
{
    /// <summary>Dropping an archive here starts a training: {name}.zip or {owner}/{name}.zip.</summary>
    public const string Uploads = "uploads";

    /// <summary>Type of the CloudEvent that tells of a new blob there, as Event Grid sends it.</summary>
    public const string BlobCreated = "Microsoft.Storage.BlobCreated";

    /// <summary>Unpacked and prepared data sets: {owner}/{id}/raw/…, …/pictures/…, …/masks/…, …/manifest.json, …/report.html.</summary>
    public const string Datasets = "datasets";

    /// <summary>
    /// What belongs to a job: progress, log, files that came as inputs, checkpoints, unpublished output, the marks that others set.
    /// </summary>
    public const string Jobs = "jobs";

    /// <summary>Published versions: {owner}/{name}/versions/{version}/…; {owner}/{name}/model.json names the latest.</summary>
    public const string Models = "models";

    /// <summary>
    /// State of record: {owner}/trainings/{id}.json, {owner}/predictions/{id}.json, and {owner}/index/… whose names sort newest first.
    /// </summary>
    public const string Records = "records";

    /// <summary>Drawn pictures: {owner}/{id}/out-N.png.</summary>
    public const string Predictions = "predictions";

    /// <summary>Files that callers have sent: {owner}/{id}.</summary>
    public const string Files = "files";

    public static IReadOnlyList<string> Containers { get; } = [Uploads, Datasets, Jobs, Models, Records, Predictions, Files];

    public static string PictureFile(int index) => FormattableString.Invariant($"pictures/{index:D3}.png");
    public static string MaskFile(int index) => FormattableString.Invariant($"masks/{index:D3}.png");
    public static string ThumbnailFile(int index) => FormattableString.Invariant($"thumbnails/{index:D3}.webp");
    public static string Dataset(JobKey training, string file) => $"{training}/{file}";
    public const string ManifestFile = "manifest.json";
    public const string ReportFile = "report.json";
    public const string ReportPage = "report.html";

    /// <summary>How far a drawing is, with its log: written by the worker that draws, over and over.</summary>
    public static string Drawing(JobKey prediction) => $"{prediction}/drawing.json";

    /// <summary>Written by the GPU worker alone: how far it is. Its age is the worker's heartbeat.</summary>
    public static string Progress(JobKey job) => $"{job}/progress.json";

    /// <summary>
    /// Lines of the functions app. The worker has a log of its own, so that neither writes between the other's lines; readers join them.
    /// </summary>
    public static string Log(JobKey job) => $"{job}/log.txt";

    /// <summary>Lines of the GPU worker, appended by whoever has the turn.</summary>
    public static string WorkerLog(JobKey job) => $"{job}/worker-log.txt";

    /// <summary>One line of JSON a step, growing while the training runs; written by the GPU worker alone.</summary>
    public static string Metrics(JobKey job) => $"{job}/{MetricsFile}";

    /// <summary>
    /// The list of <see cref="Trainings.TrainingSample"/>, growing while the training runs; written by the GPU worker alone.
    /// </summary>
    public static string SampleList(JobKey job) => $"{job}/samples.json";

    /// <summary>A picture of that list.</summary>
    public static string Sample(JobKey job, string file) => $"{job}/samples/{file}";

    /// <summary>An empty blob: the user wants no more of the job.</summary>
    public static string CancelMark(JobKey job) => $"{job}/cancel";

    /// <summary>An empty blob: the training ends at its next step, and what is trained until then is published.</summary>
    public static string StopMark(JobKey job) => $"{job}/stop";

    /// <summary>
    /// An empty blob: the training draws its sample prompts at its next step; the worker takes it away when the pictures are stored.
    /// </summary>
    public static string SampleMark(JobKey job) => $"{job}/sample";

    /// <summary>Which delivery may write for the job (<see cref="Jobs.JobTurn"/>).</summary>
    public static string Turn(JobKey job) => $"{job}/turn.json";

    /// <summary>
    /// How the work ended: the event that ends the job, written once, before it is sent. Whoever takes the job again finds it here and does
    /// nothing again, and an event that got lost is made up for.
    /// </summary>
    public static string Result(JobKey job) => $"{job}/{ResultFile}";

    /// <summary>A file that came with the job: the input's name, then the file's own.</summary>
    public static string JobInput(JobKey job, string field, string file) => $"{JobInputs(job)}{field}/{file}";
    public static string JobInputs(JobKey job) => $"{job}/inputs/";

    /// <summary>
    /// Each delivery writes below a place of its own ({place}/output/…, {place}/checkpoints/…): one that lost its lock spoils nothing of
    /// its successor's.
    /// </summary>
    public static string Attempts(JobKey job) => $"{job}/attempts/";
    public static string AttemptPrefix(JobKey job, string place) => $"{Attempts(job)}{place}/";
    public static string AttemptOutput(JobKey job, string place, string file) => $"{AttemptPrefix(job, place)}output/{file}";

    /// <summary>
    /// A checkpoint's blobs are {place}/checkpoints/{name}/…; it is whole when {place}/checkpoints/{name}.list.json is there.
    /// </summary>
    public const string CheckpointsFolder = "checkpoints/";

    /// <summary>
    /// The list of <see cref="Trainings.KeptCheckpoint"/>, growing while the training runs; written by the GPU worker that has the turn.
    /// </summary>
    public static string KeptList(JobKey job) => $"{job}/checkpoints.json";

    /// <summary>Weights that people may draw with or publish: outside the deliveries' places, which go with the training's end.</summary>
    public static string KeptFolder(JobKey job) => $"{job}/checkpoints/";

    /// <param name="place">As the list says it.</param>
    public static string Kept(JobKey job, string place, string file) => $"{KeptFolder(job)}{place}{file}";

    /// <summary>Name of a run's numbers: one line of JSON a step.</summary>
    public const string MetricsFile = "metrics.jsonl";

    /// <summary>What a GPU worker says of itself.</summary>
    public static string Worker(string name) => $"{Workers}{name}.json";
    public const string Workers = "_workers/";

    public static string VersionPrefix(string owner, string name, string version) => $"{owner}/{name}/versions/{version}/";
    public static string Version(string owner, string name, string version, string file) => VersionPrefix(owner, name, version) + file;
    public static string ModelDocument(string owner, string name) => $"{owner}/{name}/model.json";

    public static string TrainingRecord(JobKey training) => Record(TrainingsList, training);
    public static string PredictionRecord(JobKey prediction) => Record(PredictionsList, prediction);

    /// <param name="kind">The record's list.</param>
    public static string Record(string kind, JobKey job) => $"{job.Owner}/{kind}/{job.Id}.json";

    /// <summary>The way from a version's id to its model.</summary>
    public static string VersionRecord(string owner, string version) => $"{owner}/versions/{version}.json";

    /// <summary>A token by its SHA-256: whose it is is not known before it is read.</summary>
    public static string Token(string hash) => $"_tokens/{hash}.json";

    /// <summary>An owner's tokens.</summary>
    public static string TokenIndex(string owner, string hash) => $"{owner}/index/tokens/{hash}";

    public static string File(string owner, string id) => $"{owner}/{id}";
    public static string FileRecord(string owner, string id) => $"{owner}/files/{id}.json";

    /// <summary>Says that a record may owe messages or events: written before the record is, removed when all is sent. In container
    /// records.</summary>
    /// <param name="kind">The record's list.</param>
    public static string OutboxMark(string kind, JobKey job) => $"{OutboxMarks}{kind}/{job}";
    public const string OutboxMarks = "_outbox/";

    /// <summary>How far a receiver has been told of a job's events. In container records, as are the next three.</summary>
    public static string Delivery(JobKey job, string receiver) => $"{Deliveries(job)}{receiver}.json";
    public static string Deliveries(JobKey job) => $"_deliveries/{job}/";

    /// <summary>An event that a receiver did not take for a day.</summary>
    /// <param name="name">The event's id, '.', the receiver.</param>
    public static string UndeliveredEvent(string owner, string name) => $"{UndeliveredEvents(owner)}{name}.json";
    public static string UndeliveredEvents(string owner) => $"_undelivered/{owner}/";

    /// <summary>The key with which an owner's webhooks are signed.</summary>
    public static string WebhookSecret(string owner) => $"_secrets/{owner}.json";
    public static string Subscriptions(string owner) => $"_subscriptions/{owner}.json";

    /// <summary>Drawn pictures' names.</summary>
    public static string Drawn(JobKey prediction, string file) => $"{prediction}/{file}";

    /// <summary>How the work ended, among the files of a training's job or a prediction.</summary>
    public const string ResultFile = "result.json";

    /// <summary>Beside the pictures: the worker's last word on a prediction (a WorkerEvent), written once, before it is sent.</summary>
    public static string DrawnResult(JobKey prediction) => Drawn(prediction, ResultFile);

    /// <summary>An empty blob whose name sorts newest first: lists come in that order without reading the records.</summary>
    public static string TrainingIndex(JobKey training, DateTimeOffset created) =>
        IndexOf(training.Owner, TrainingsList) + Entry(training, created);

    /// <inheritdoc cref="TrainingIndex"/>
    public static string PredictionIndex(JobKey prediction, DateTimeOffset created) =>
        IndexOf(prediction.Owner, PredictionsList) + Entry(prediction, created);

    /// <inheritdoc cref="TrainingIndex"/>
    public static string FileIndex(JobKey file, DateTimeOffset created) => IndexOf(file.Owner, FilesList) + Entry(file, created);

    /// <summary>The lists: their entries' names begin so.</summary>
    public static string IndexOf(string owner, string list) => $"{owner}/index/{list}/";
    public const string TrainingsList = "trainings", PredictionsList = "predictions", FilesList = "files";

    private static string Entry(JobKey job, DateTimeOffset created) => $"{Inverted(created)}-{job.Id}";

    private static string Inverted(DateTimeOffset time) =>
        (DateTimeOffset.MaxValue.UtcTicks - time.UtcTicks).ToString("D19", System.Globalization.CultureInfo.InvariantCulture);
}
