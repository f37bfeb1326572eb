using Sdxl.Core.Messages;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>The files that a prediction needs, on this machine.</summary>
public sealed class PredictionFiles(JobBlobs blobs, VersionFiles versions, WorkerScratch scratch)
{
    private const int MaxShown = 100; // characters of a blob's name in a sentence

    /// <summary>
    /// The fine-tune to draw with; null: the base model alone. A version's is kept here, because it never changes; what the user named is
    /// fetched each time.
    /// </summary>
    /// <exception cref="InvalidDataException">It is not in storage (any more), or not what was published.</exception>
    public async Task<string?> FineTuneAsync(PredictionJob job, CancellationToken cancel)
    {
        if (job.Inputs.ReplicateWeights is { Length: > 0 } named)
        {
            // The name stays: an embedding's is its trigger word.
            var target = Path.Combine(ScratchOf(job.Prediction.Id), named[(named.LastIndexOf('/') + 1)..]);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            var (container, name) = Split(named, "replicate_weights");
            return await blobs.DownloadFileAsync(container, name, target, cancel) ? target : throw NotThere(named, "replicate_weights");
        }
        return job.Weights is { } prefix ? await versions.WeightsAsync(prefix, cancel) : null;
    }

    /// <summary>A picture that the user named; null where none was.</summary>
    /// <param name="blob">container/name: the API has brought everything else there.</param>
    public async Task<byte[]?> PictureAsync(string? blob, string input, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(blob))
            return null;
        var (container, name) = Split(blob, input);
        return (await blobs.ReadAsync(container, name, cancel))?.ToArray() ?? throw NotThere(blob, input);
    }

    /// <summary>Removes what a prediction that is over left on this machine.</summary>
    public void CleanUp(string predictionId)
    {
        if (Directory.Exists(ScratchOf(predictionId)))
            Directory.Delete(ScratchOf(predictionId), recursive: true);
    }

    private string ScratchOf(string predictionId) => Path.Combine(scratch.Folder, "predictions", predictionId);

    private static (string Container, string Name) Split(string blob, string input) =>
        blob.IndexOf('/') is > 0 and var slash ? (blob[..slash], blob[(slash + 1)..]) : throw NotThere(blob, input);

    private static InvalidDataException NotThere(string blob, string input) =>
        new(
            $"Input '{input}': there is no blob '{(blob.Length > MaxShown ? blob[..(MaxShown - 1)] + "…" : blob)}' in this service's "
                + "storage (any more)."
        );
}
