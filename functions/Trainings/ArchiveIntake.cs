using System.Text.Json.Nodes;
using Sdxl.Core.Archives;
using Sdxl.Core.Bases;
using Sdxl.Core.Captions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Inputs;
using Sdxl.Core.Trainings;
using Sdxl.Core.Versions;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Http;
using Sdxl.Functions.Trainings.Activities;
using Sdxl.Vision.Masks;

namespace Sdxl.Functions.Trainings;

/// <summary>
/// An uploaded archive with its inputs, checked. The HTTP API takes it in before it answers, the orchestration's first activity again from
/// the stored bytes: the same checks whichever way the archive came.
/// </summary>
public sealed class ArchiveIntake : IDisposable
{
    private readonly Archive _archive;

    private ArchiveIntake(Archive archive, TrainingInputs inputs, IReadOnlyList<PlannedPicture> pictures, IReadOnlyList<string> warnings,
        JsonObject given)
    {
        _archive = archive;
        Inputs = inputs;
        Given = given;
        Pictures = pictures;
        Warnings = warnings;
    }

    /// <summary>The effective inputs: given ones over those of training.json in the archive over the base model's defaults.</summary>
    public TrainingInputs Inputs { get; }

    /// <summary>What of them was said, in the request or in the archive.</summary>
    public JsonObject Given { get; }

    public IReadOnlyList<PlannedPicture> Pictures { get; }

    /// <summary>Odd names, captions without picture, inputs without effect.</summary>
    public IReadOnlyList<string> Warnings { get; }

    public Archive Archive => _archive;

    /// <param name="stream">Seekable; must live as long as the intake.</param>
    /// <param name="name">What the user calls the archive.</param>
    /// <param name="request">Base, id and given inputs; its archive is not read.</param>
    /// <param name="parent">The version that <paramref name="request"/> goes on from; null: none.</param>
    /// <exception cref="IntakeException">Everything that is wrong with archive and inputs at once.</exception>
    public static ArchiveIntake Open(Stream stream, string name, TrainingRequest request, BaseCatalog bases, VersionManifest? parent)
    {
        var problems = new List<IntakeProblem>();
        var given = JsonNode.Parse(request.GivenInputs)!.AsObject();
        var baseModel = Try(() => bases.Get(request.Base));
        var archive = Try(() => ArchiveReader.Open(stream, name));
        try
        {
            var settings = (archive is null ? null : Try(() => ArchiveSettings.Read(archive))) ?? ArchiveSettings.None;
            settings.FillGaps(given);
            if (parent is not null)
                FurtherTraining.FillGaps(given, parent);
            var inputs = baseModel is null ? null : Try(() => settings.Locate(() => TrainingInputs.Read(given, baseModel, request.Id)));
            if (inputs is not null && parent is not null)
            {
                problems.AddRange(FurtherTraining.Problems(inputs, request.Base, request.From!, parent)
                    .Select(p => new IntakeProblem(p.Field, p.Sentence, 422)));
            }
            if (problems.Count > 0)
                throw new IntakeException(problems);
            var captions = ArchiveCaptions.Read(archive!);
            var composed = ComposedCaptions.Of(captions, inputs!, baseModel!);
            var (times, ofFolders) = FolderRepeats.Of([.. archive!.Contents.Pictures.Select(picture => picture.Path)]);
            var pictures = archive.Contents.Pictures.Select((picture, index) => Plan(picture, index, composed, times[index])).ToList();
            RequireFiles(baseModel!, Needs(inputs!, pictures, request.CheckOnly));
            return new ArchiveIntake(archive, inputs!, pictures,
                [.. archive.Contents.Warnings, .. ofFolders, .. composed.Warnings, .. TrainingInputs.WithoutEffect(given, inputs!)], given);
        }
        catch
        {
            archive?.Dispose();
            throw;
        }

        void RequireFiles(BaseManifest baseModel, BaseParts parts)
        {
            try
            {
                bases.Require(baseModel, parts);
            }
            catch (BaseIncompleteException e)
            {
                throw new IntakeException([new IntakeProblem("base", e.Message, 400)]);
            }
        }

        T? Try<T>(Func<T> action) where T : class
        {
            try
            {
                return action();
            }
            catch (ArchiveRefusedException e)
            {
                problems.AddRange(e.Problems.Select(p => new IntakeProblem("input_images", p.Sentence, StatusOf(p.Refusal))));
            }
            catch (InputException e)
            {
                problems.AddRange(e.Problems.Select(p => new IntakeProblem(p.Field, p.Sentence, 422)));
            }
            catch (BaseNotFoundException e)
            {
                problems.Add(new IntakeProblem("base", e.Message, 422));
            }
            return null;
        }
    }

    public void Dispose() => _archive.Dispose();

    /// <summary>What of the base model the data set and its training take. (The upscaler is taken only where a picture proves too
    /// small.)</summary>
    private static BaseParts Needs(TrainingInputs inputs, IReadOnlyList<PlannedPicture> pictures, bool checkOnly)
    {
        var needs = checkOnly ? BaseParts.None : BaseParts.Nets;
        if (pictures.Any(picture => picture.Caption is null))
            needs |= BaseParts.Captioner;
        if (pictures.Any(picture => picture.RawMask is null))
        {
            if (inputs.UseFaceDetectionInstead)
                needs |= BaseParts.FaceMasks;
            else if (ClipSegMasker.SplitPrompts(inputs.MaskTargetPrompts).Count > 0)
                needs |= BaseParts.WordMasks;
        }
        return needs;
    }

    private static PlannedPicture Plan(ArchivePicture picture, int index, ArchiveCaptions captions, int times)
    {
        var given = captions.ByPicture.GetValueOrDefault(picture.Path);
        return new PlannedPicture(
            index, picture.Path,
            FormattableString.Invariant($"raw/{index:D3}"),
            picture.MaskPath is null ? null : FormattableString.Invariant($"raw/{index:D3}-mask"),
            given?.Text, given?.Source ?? CaptionSource.Blip, times);
    }

    /// <summary>400: not what it should be; 413: too much; 422: readable but unusable.</summary>
    private static int StatusOf(ArchiveRefusal refusal) => refusal switch
    {
        ArchiveRefusal.TooLarge => 413,
        ArchiveRefusal.NoPictures or ArchiveRefusal.Empty or ArchiveRefusal.NestedArchive or ArchiveRefusal.Encrypted => 422,
        _ => 400,
    };
}
