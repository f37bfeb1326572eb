using Sdxl.Core;

namespace Sdxl.Functions.Http;

/// <param name="Field">The input that is wrong.</param>
/// <param name="Status">HTTP status that fits.</param>
public sealed record IntakeProblem(string Field, string Sentence, int Status);

/// <summary>What a request or an upload brought (body, archive, file, input) cannot be used; lists everything that is wrong.</summary>
public sealed class IntakeException(IReadOnlyList<IntakeProblem> problems) : Exception(string.Join(" ", problems.Select(p => p.Sentence)))
{
    public IReadOnlyList<IntakeProblem> Problems { get; } = problems;

    /// <summary>As an activity throws it: final, not retried.</summary>
    public RefusedException AsRefusal() => new(Message, this);
}
