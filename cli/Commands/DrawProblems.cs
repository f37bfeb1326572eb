using System.Text.Json.Nodes;
using Sdxl.Cli.Models;
using Sdxl.Cli.Predictions;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Inputs;
using Sdxl.Core.Predictions;

namespace Sdxl.Cli.Commands;

/// <summary>Looks at what is to be drawn before a host is started for it: what is wrong is said at once.</summary>
internal static class DrawProblems
{
    public const string NoVersion = "none";

    /// <param name="version">As given; "none": the base model alone; null: the newest, or the weights given.</param>
    /// <param name="baseModel">Null: the host's own, which may be another than the standard one that the inputs are read against
    /// here.</param>
    /// <exception cref="CliException">With every problem found.</exception>
    public static void Refuse(JsonObject input, string? version, string? baseModel)
    {
        var problems = LocalFiles.Problems(input).ToList();
        var isElsewhere = Hosting.Remote.Current() is not null; // which has base models of its own
        if (baseModel is not null && !isElsewhere)
            _ = BaseFiles.Load(baseModel);
        try
        {
            var manifest = BaseManifest.Load(Places.Models, baseModel ?? CommonOptions.StandardBase);
            var inputs = PredictionInputs.Read(input, manifest, JobId.New(), besideVersion: version is not (null or NoVersion));
            // A version's own base model is the host's to look for.
            if (baseModel is not null && problems.Count == 0 && !isElsewhere
                && (version is NoVersion || version is null && inputs.ReplicateWeights is not null))
                BaseFiles.Require(baseModel, inputs.Needs());
        }
        catch (InputException e)
        {
            problems.InsertRange(0, e.Problems.Select(problem => problem.Sentence));
        }
        catch (Exception e) when ((baseModel is null || isElsewhere) && e is BaseNotFoundException or InvalidDataException)
        {
            // A models folder without it, or with a damaged one: the host checks the inputs.
        }
        if (problems.Count > 0)
            throw new CliException(string.Join(' ', problems));
    }
}
