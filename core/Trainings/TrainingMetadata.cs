using Sdxl.Core.Inputs;

namespace Sdxl.Core.Trainings;

/// <summary>Which of an uploaded blob's metadata is meant for its training: scanners, copy tools and people put marks of their own
/// there.</summary>
public static class TrainingMetadata
{
    /// <summary>Beside the inputs: under which model the result is published, and the base model.</summary>
    public static IReadOnlyList<string> Names { get; } = ["name", "owner", "base"];

    /// <summary>Whether a key is an input or looks like a misspelt one, which is then refused with what was meant.</summary>
    /// <param name="key">In any case: HTTP headers, in which metadata travels, have none.</param>
    public static bool MayBeMeant(string key)
    {
        var name = key.ToLowerInvariant();
        return Names.Contains(name) || InputReader.Misspelt(name, TrainingInputs.Fields.Select(field => field.Name)) is not null;
    }
}
