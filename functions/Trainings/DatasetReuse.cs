using System.Text.Json.Nodes;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Storage;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Trainings.Activities;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// A training that takes the data set of a check or of another training: nothing is sent again, and no picture that is prepared is prepared
/// again. The data set is copied, so that each may be removed by itself.
/// </summary>
public sealed class DatasetReuse(BlobStore blobs, BaseCatalog bases)
{
    private const int CopiesAtOnce = 8;

    /// <summary>What shapes the pictures, masks and captions, which are there already.</summary>
    private static readonly string[] s_settled =
    [
        "resolution", "mask_target_prompts", "crop_based_on_salience", "use_face_detection_instead", "clipseg_temperature", "token_string",
        "caption_prefix",
    ];

    /// <summary>The inputs of the new training: those given, over those that the data set was made with.</summary>
    /// <param name="parent">The version that the training goes on from; null: none.</param>
    /// <exception cref="IntakeException">There is no such data set, inputs are given that it was not made with, or the version cannot begin
    /// it.</exception>
    public async Task<JsonObject> CheckAsync(TrainingRequest training, VersionManifest? parent, CancellationToken cancel)
    {
        var source = training.Data!;
        var plan = JobId.IsValid(source) ? await PlanAsync(new JobKey(training.Owner, source), cancel) : null;
        if (plan is null)
        {
            throw new IntakeException([new IntakeProblem("check",
                $"There is no data set '{source}': it is not yours, not unpacked yet, or removed. Send the archive again.", 422)]);
        }
        if (plan.Base != training.Base)
        {
            throw new IntakeException([new IntakeProblem("base",
                $"The data set '{source}' was prepared for base model '{plan.Base}'; leave 'base' out, or check again for "
                    + $"'{training.Base}'.", 422)]);
        }
        var given = JsonNode.Parse(training.GivenInputs)!.AsObject();
        foreach (var (name, value) in plan.Given ?? [])
            given.TryAdd(name, value?.DeepClone());
        if (parent is not null)
            FurtherTraining.FillGaps(given, parent);
        try
        {
            var inputs = TrainingInputs.Read(given, bases.Get(training.Base), training.Id);
            var (asked, made) = (Json(inputs), Json(plan.Inputs));
            List<IntakeProblem> problems =
            [
                .. s_settled.Where(name => asked[name]?.ToJsonString() != made[name]?.ToJsonString()).Select(name => new IntakeProblem(name,
                    $"Input '{name}' is {asked[name]?.ToJsonString() ?? "unset"}, but the data set '{source}' was prepared with "
                        + $"{made[name]?.ToJsonString() ?? "none"}. Leave it out, or check again with it.", 422)),
            ];
            if (parent is not null)
            {
                problems.AddRange(FurtherTraining.Problems(inputs, training.Base, training.From!, parent)
                    .Select(p => new IntakeProblem(p.Field, p.Sentence, 422)));
            }
            return problems.Count == 0 ? given : throw new IntakeException(problems);
        }
        catch (InputException e)
        {
            throw new IntakeException([.. e.Problems.Select(p => new IntakeProblem(p.Field, p.Sentence, 422))]);
        }
    }

    /// <summary>Copies the data set, and writes its plan with the inputs of the new training. May be repeated.</summary>
    public async Task<UnpackPlan> TakeAsync(TrainingRequest training, CancellationToken cancel)
    {
        var source = new JobKey(training.Owner, training.Data!);
        var plan = await PlanAsync(source, cancel)
            ?? throw new Core.RefusedException(
                $"The data set '{training.Data}' was removed before the training took it. Send the archive again.");
        var given = JsonNode.Parse(training.GivenInputs)!.AsObject();
        plan = plan with { Inputs = TrainingInputs.Read(given, bases.Get(training.Base), training.Id), Given = given };
        var prefix = StorageLayout.Dataset(source, "");
        var names = (await blobs.ListAsync(StorageLayout.Datasets, prefix, cancel)).Select(name => name[prefix.Length..])
            .Where(IsTaken).ToList();
        // A picture's document says that it is prepared: it comes after the files that it speaks of.
        foreach (var late in new[] { false, true })
        {
            await Parallel.ForEachAsync(
                names.Where(name => name.StartsWith(PreparedDocument.Folder, StringComparison.Ordinal) == late),
                new ParallelOptions { MaxDegreeOfParallelism = CopiesAtOnce, CancellationToken = cancel },
                async (name, token) => await blobs.CopyAsync(
                    StorageLayout.Datasets, prefix + name, StorageLayout.Dataset(training.Key, name), token));
        }
        await blobs.WriteAsync(StorageLayout.Datasets, StorageLayout.Dataset(training.Key, UnpackPlan.FileName), plan, cancel: cancel);
        return plan;
    }

    /// <summary>Not what the fan-in makes anew, and not the plan, which is written last.</summary>
    private static bool IsTaken(string name) =>
        name is not (UnpackPlan.FileName or StorageLayout.ManifestFile or StorageLayout.ReportFile or StorageLayout.ReportPage);

    private async Task<UnpackPlan?> PlanAsync(JobKey source, CancellationToken cancel) =>
        (await blobs.ReadAsync<UnpackPlan>(StorageLayout.Datasets, StorageLayout.Dataset(source, UnpackPlan.FileName), cancel))?.Value;

    private static JsonObject Json(TrainingInputs inputs) =>
        System.Text.Json.JsonSerializer.SerializeToNode(inputs, Core.Json.SdxlJson.Options)!.AsObject();
}
