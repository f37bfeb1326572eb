using System.Security.Cryptography;
using System.Text.Json;
using Sdxl.Core.Json;
using Sdxl.Diffusion.Files;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Training;

/// <summary>What a checkpoint says beside its tensors.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="SettingsHash">Of the settings it was made under; another training does not resume from it.</param>
/// <param name="Rollbacks">Non-finite losses so far: each has halved the rates.</param>
/// <param name="Optimizer">The optimizer's numbers.</param>
/// <param name="Sha256">Of state.safetensors, lower-case hex.</param>
/// <param name="Device">"cpu" or "cuda": what trained so far.</param>
/// <param name="Threads">Processor threads that trained so far: sums are split among them, so the run goes on with as many. 0 where
/// unknown.</param>
/// <param name="Samples">Of all that decides the sample pictures beside the weights: those of other prompts do not belong to this
/// run.</param>
/// <param name="BaseIdentity">What the base model's files were; empty in checkpoints of older builds.</param>
/// <param name="Start">What the net got wrong before the first step; null in checkpoints of older builds, whose end nobody can
/// judge.</param>
public sealed record CheckpointInfo(
    int Step,
    string SettingsHash,
    int Rollbacks,
    IReadOnlyDictionary<string, double> Optimizer,
    string Sha256,
    string Device = "",
    int Threads = 0,
    string Samples = "",
    OwnErrors? Start = null,
    string BaseIdentity = ""
);

/// <summary>A whole checkpoint that was found.</summary>
public sealed record FoundCheckpoint(string Folder, CheckpointInfo Info)
{
    public string StateFile => Path.Combine(Folder, CheckpointStore.StateName);
}

/// <summary>
/// Checkpoints of one training: folders step-NNNNNNNN, each with state.safetensors (trained values and optimizer state, fp32) and
/// checkpoint.json, which holds the other's hash.
/// </summary>
/// <remarks>
/// A checkpoint is written into a temporary sibling, flushed and renamed, so it appears whole or not at all; copies over a network can
/// still tear it, so the hash is checked on reading. Randomness needs no state: it is counter-based. The newest two are kept.
/// </remarks>
public sealed class CheckpointStore(string folder)
{
    public const string StateName = "state.safetensors";
    public const string InfoName = "checkpoint.json";
    private const string Prefix = "step-";
    private const int Kept = 2;

    /// <summary>Writes a checkpoint and deletes all but the newest two.</summary>
    /// <returns>Its folder.</returns>
    public string Write(CheckpointInfo info, IEnumerable<KeyValuePair<string, Tensor>> state)
    {
        var target = FolderOf(info.Step);
        var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        Directory.CreateDirectory(temporary);
        try
        {
            var stateFile = Path.Combine(temporary, StateName);
            SafetensorsWriter.Write(stateFile, state);
            WriteDurably(
                Path.Combine(temporary, InfoName),
                JsonSerializer.SerializeToUtf8Bytes(info with { Sha256 = HashOf(stateFile) }, SdxlJson.Indented)
            );
            if (Directory.Exists(target))
                Directory.Delete(target, recursive: true);
            Directory.Move(temporary, target);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
        foreach (var old in Folders().Skip(Kept))
            Directory.Delete(old, recursive: true);
        return target;
    }

    /// <summary>The newest checkpoint that is whole and of these settings; torn ones are named in the log and passed over.</summary>
    public FoundCheckpoint? Newest(string settingsHash, string baseIdentity, Action<string> log)
    {
        foreach (var candidate in Folders())
        {
            if (Read(candidate, out var problem) is not { } info)
                log($"Checkpoint {Path.GetFileName(candidate)} is not whole ({problem}); it is deleted, and the one before is tried.");
            else if (info.SettingsHash != settingsHash && info.BaseIdentity.Length > 0 && info.BaseIdentity != baseIdentity)
                log(
                    $"Checkpoint {Path.GetFileName(candidate)} was trained on other files of the base model, which have changed since; it "
                        + "is deleted, and the training starts anew."
                );
            else if (info.SettingsHash != settingsHash)
                log($"Checkpoint {Path.GetFileName(candidate)} belongs to other settings or another data set; it is deleted.");
            else
                return new FoundCheckpoint(candidate, info);
        }
        return null;
    }

    /// <summary>Deletes checkpoints later than a step: they are not this run's.</summary>
    public void DropAfter(int step)
    {
        foreach (var later in Folders().Where(f => StepOf(f) > step))
            Directory.Delete(later, recursive: true);
    }

    private static CheckpointInfo? Read(string candidate, out string problem)
    {
        try
        {
            var info = SdxlJson.Deserialize<CheckpointInfo>(File.ReadAllText(Path.Combine(candidate, InfoName)));
            var found = HashOf(Path.Combine(candidate, StateName));
            problem = $"{StateName} has SHA-256 {found}, expected {info.Sha256}";
            return found == info.Sha256 ? info : null;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            problem = e.Message;
            return null;
        }
    }

    /// <summary>Whole and torn, newest first.</summary>
    private IEnumerable<string> Folders() => Directory.Exists(folder)
        ? Directory.GetDirectories(folder, Prefix + "*").Where(f => StepOf(f) >= 0).OrderByDescending(StepOf).ToList()
        : [];

    private string FolderOf(int step) => Path.Combine(folder, FormattableString.Invariant($"{Prefix}{step:D8}"));

    private static int StepOf(string path) => int.TryParse(Path.GetFileName(path).AsSpan(Prefix.Length), out var step) ? step : -1;

    internal static string HashOf(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    internal static void WriteDurably(string file, ReadOnlySpan<byte> bytes)
    {
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None);
        stream.Write(bytes);
        stream.Flush(flushToDisk: true);
    }
}
