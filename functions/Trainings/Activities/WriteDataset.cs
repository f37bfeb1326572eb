using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Text;
using Sdxl.Core;
using Sdxl.Core.Datasets;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Storage;
using Sdxl.Vision.Duplicates;

namespace Sdxl.Functions.Trainings.Activities;

/// <summary>Fan-in: the data set's manifest for the trainer, the pairing report for people. Refuses when no picture is left.</summary>
public sealed class WriteDataset(BlobStore blobs, RecordStore records)
{
    private const int FewPictures = 5;
    private const int NamesInWarning = 6;

    /// <returns>How many pictures the data set has.</returns>
    [Function(nameof(WriteDataset))]
    public async Task<int> Run([ActivityTrigger] JobKey training, CancellationToken cancel)
    {
        var plan = (await blobs.ReadAsync<UnpackPlan>(
            StorageLayout.Datasets, StorageLayout.Dataset(training, UnpackPlan.FileName), cancel))!.Value.Value;
        var prepared = new List<PreparedDocument>();
        foreach (var picture in plan.Pictures)
        {
            var name = StorageLayout.Dataset(training, PreparedDocument.FileName(picture.Index));
            prepared.Add((await blobs.ReadAsync<PreparedDocument>(StorageLayout.Datasets, name, cancel))!.Value.Value);
        }
        var used = prepared.Where(p => p.Picture is not null && !p.Removed).ToList();
        var entries = prepared.Zip(plan.Pictures).Where(pair => pair.First.Picture is not null && !pair.First.Removed)
            .SelectMany(pair => Enumerable.Repeat(pair.First.Picture!, Math.Max(1, pair.Second.Times)));
        IReadOnlyList<SkippedFile> skipped = [.. plan.Skipped, .. prepared.Select(p => p.Skipped).OfType<SkippedFile>()];
        if (used.Count == 0 && prepared.Exists(p => p.Removed))
            throw new RefusedException($"Every usable picture of {plan.Archive} was removed by hand. Take some back.");
        if (used.Count == 0)
        {
            var reasons = string.Join(" ", prepared.Select(p => p.Skipped!).Take(10).Select(s => $"{s.Name}: {s.Reason}"));
            throw new RefusedException($"{UsablePictures.NoneUsable(prepared.Count, plan.Archive)} {reasons}");
        }
        var report = new DatasetReport(
            plan.Archive, used.Count, [.. used.Select(p => p.Report!)], skipped,
            [.. plan.Warnings, .. Warnings(used, plan.Inputs)]);
        var manifest = new DatasetManifest(plan.Inputs.Resolution, plan.Inputs.TokenString, [.. entries]);

        await blobs.WriteAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, StorageLayout.ReportFile), report, cancel: cancel);
        var page = await ReportPage.RenderAsync(report, file =>
            blobs.ReadBytesAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, file), cancel));
        await blobs.WriteBytesAsync(
            StorageLayout.Datasets, StorageLayout.Dataset(training, StorageLayout.ReportPage),
            System.Text.Encoding.UTF8.GetBytes(page), "text/html; charset=utf-8", cancel);
        await blobs.WriteAsync(StorageLayout.Datasets, StorageLayout.Dataset(training, StorageLayout.ManifestFile), manifest,
            cancel: cancel);

        IReadOnlyList<string> warnings =
        [
            .. report.Warnings,
            .. skipped.Where(s => plan.Pictures.Any(p => p.Name == s.Name)).Select(s => $"{s.Name} was skipped: {s.Reason}"),
        ];
        await records.ChangeTrainingAsync(training, r => r with { HasReport = true, Warnings = warnings }, cancel);
        await blobs.AppendLinesAsync(
            StorageLayout.Jobs, StorageLayout.Log(training),
            [
                $"Data set ready: {Plural.Of(used.Count, "picture")}, {Plural.Of(skipped.Count, "file")} skipped.",
                .. warnings.Select(w => "Warning: " + w),
            ],
            cancel);
        return used.Count;
    }

    private static IEnumerable<string> Warnings(IReadOnlyList<PreparedDocument> used, TrainingInputs inputs)
    {
        var (wanted, heldOut) = (inputs.HeldOutPictures, HeldOutPictures.Most(inputs.HeldOutPictures, used.Count));
        if (heldOut < wanted)
        {
            yield return $"Input 'held_out_pictures' is {wanted}, but at most half of {Plural.Of(used.Count, "picture")} may be held out: "
                + $"{(heldOut == 0 ? "none is" : $"{heldOut} {Plural.Verb(heldOut, "is", "are")}")}.";
        }
        if (used.Count < FewPictures)
            yield return $"Only {Plural.Of(used.Count, "picture")}: {FewPictures} or more are advised, 10 to 20 are better.";
        var hashes = used.Select(p => ulong.Parse(p.Report!.PerceptualHash, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToList();
        foreach (var alike in PerceptualHash.Groups(hashes))
        {
            var names = alike.Select(i => used[i].Report!.Name).ToList();
            var listed = names.Count <= NamesInWarning
                ? $"{string.Join(", ", names[..^1])} and {names[^1]}"
                : $"{string.Join(", ", names.Take(NamesInWarning))} and {names.Count - NamesInWarning} more";
            yield return $"{listed} look almost the same: different pictures teach more.";
        }
    }
}
