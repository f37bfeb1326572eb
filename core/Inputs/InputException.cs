namespace Sdxl.Core.Inputs;

/// <summary>
/// One thing wrong with an input. <paramref name="Field"/> is its name; <paramref name="Sentence"/> says value, allowed range and what to
/// do.
/// </summary>
public sealed record InputProblem(string Field, string Sentence);

/// <summary>Inputs were refused; <see cref="Problems"/> lists everything that is wrong with them, not only the first.</summary>
public sealed class InputException(IReadOnlyList<InputProblem> problems)
    : Exception(string.Join(" ", problems.Select(p => p.Sentence)))
{
    public IReadOnlyList<InputProblem> Problems { get; } = problems;
}
