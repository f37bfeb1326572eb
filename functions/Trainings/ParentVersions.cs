using Sdxl.Core.Inputs;
using Sdxl.Core.Versions;
using Sdxl.Functions.Http;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Trainings;

/// <summary>A version that a training is to go on from.</summary>
/// <param name="Training">Id of the training that made it: its data set is taken where no other is named.</param>
public sealed record ParentVersion(VersionName Name, VersionManifest Manifest, string Training);

/// <summary>Finds the versions that trainings name with "from".</summary>
public sealed class ParentVersions(VersionStore versions, BaseModels bases)
{
    private const string Field = "from";

    /// <param name="reference">owner/name:id, owner/name, name or an id, of which the first characters are enough.</param>
    /// <exception cref="IntakeException">422: there is no such version among the caller's, or it is a base model.</exception>
    public async Task<ParentVersion> FindAsync(string reference, string caller, CancellationToken cancel)
    {
        if (bases.FindReference(reference) is { } known)
        {
            throw Refuse(
                $"'{known.FullName}' is a base model, with which a training begins anyway. Leave 'from' out; 'base' names the base model.");
        }
        try
        {
            if (await versions.FindAsync(reference, caller, cancel) is { } found)
            {
                var name = new VersionName(found.Owner, found.Name, found.Version);
                if (await versions.ManifestAsync(name.ToString(), cancel) is { } manifest)
                    return new ParentVersion(name, manifest, found.TrainingId);
            }
        }
        catch (InputException e)
        {
            throw new IntakeException([.. e.Problems.Select(problem => new IntakeProblem(Field, problem.Sentence, 422))]);
        }
        throw Refuse($"There is no version '{reference}' among yours to go on from. GET v1/models lists your models, with the newest "
            + "version of each.");
    }

    private static IntakeException Refuse(string sentence) => new([new IntakeProblem(Field, sentence, 422)]);
}
