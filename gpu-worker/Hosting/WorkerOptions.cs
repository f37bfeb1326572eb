namespace Sdxl.GpuWorker.Hosting;

/// <summary>Settings of the worker (configuration section "Sdxl").</summary>
public sealed class WorkerOptions
{
    public const string Section = "Sdxl";

    /// <summary>Folder with the base models' manifests and files.</summary>
    public string ModelsFolder { get; set; } = "models";

    /// <summary>
    /// Scratch space: data sets, checkpoints, downloaded versions. May be empty at start; nothing in it is needed elsewhere.
    /// </summary>
    public string ScratchFolder { get; set; } = Path.Combine(Path.GetTempPath(), "sdxl-worker");

    /// <summary>
    /// Most bytes that stay in scratch between jobs: versions that were drawn with, trainings that wait. A running job may take more.
    /// </summary>
    public long ScratchBytes { get; set; } = 150L << 30;

    /// <summary>"auto" takes a CUDA device if there is one; "cpu"; "cuda".</summary>
    public string Device { get; set; } = "auto";

    /// <summary>
    /// CPU threads for tensors; 0 = half of the hardware threads (two of one core take turns at the same arithmetic). Bit-identical results
    /// need the same number.
    /// </summary>
    public int Threads { get; set; }

    /// <summary>Seconds between looks for the cancel mark while a job runs.</summary>
    public double CancelPollSeconds { get; set; } = 2;

    /// <summary>Seconds that an empty queue is waited on before the other one is looked at.</summary>
    public double ReceiveWaitSeconds { get; set; } = 2;

    /// <summary>Seconds between words about a job's progress.</summary>
    public double ProgressSeconds { get; set; } = 1;

    /// <summary>
    /// Minutes without a job after which the worker ends by itself, with exit code 0; 0: never. A card that is paid by the second is then
    /// given back.
    /// </summary>
    public double ExitWhenIdleMinutes { get; set; }

    /// <summary>
    /// Ends, with exit code 0, after the first job that it took. Give it <see cref="ExitWhenIdleMinutes"/> too: another worker may take
    /// that job first.
    /// </summary>
    public bool ExitAfterOneJob { get; set; }

    /// <summary>
    /// Container of the storage account from which base models are brought at start, as far as <see cref="ModelsFolder"/> lacks them;
    /// empty: they are there.
    /// </summary>
    public string ModelsContainer { get; set; } = "";

    /// <summary>What this machine costs an hour; null: unknown. Only measured with: sdxl.run.cost.</summary>
    public double? PricePerHour { get; set; }

    /// <summary>
    /// Let predictions in between the steps of a training, which stands still meanwhile and ends with the same bits. Both models lie in the
    /// device's memory then: false where it holds only one.
    /// </summary>
    public bool PredictWhileTraining { get; set; } = true;
}
