namespace Sdxl.Vision.Captions;

/// <summary>Text generation by the likeliest next token (one beam) or the likeliest sequences (several).</summary>
/// <remarks>
/// Finished sequences are ranked by log probability / generated length (length penalty 1, early stopping off).
/// Source: transformers generation/utils.py, _sample without sampling and _beam_search.
/// </remarks>
public static class BeamSearch
{
    private const double Impossible = -1e9;

    /// <param name="sequences">All of one length.</param>
    /// <returns>For each sequence the logits of the token that follows, one array a sequence.</returns>
    public delegate float[][] NextLogits(IReadOnlyList<long[]> sequences);

    /// <summary>The best sequence, from the start token to the end token or, at most maxNewTokens later, where it was cut.</summary>
    public static long[] Run(long startToken, long endToken, int beams, int maxNewTokens, NextLogits next)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(beams, 1);
        return beams == 1 ? Greedy(startToken, endToken, maxNewTokens, next) : Search(startToken, endToken, beams, maxNewTokens, next);
    }

    private static long[] Greedy(long startToken, long endToken, int maxNewTokens, NextLogits next)
    {
        List<long> sequence = [startToken];
        while (sequence.Count <= maxNewTokens && (sequence.Count == 1 || sequence[^1] != endToken))
        {
            var logits = next([[.. sequence]])[0];
            sequence.Add(Array.IndexOf(logits, logits.Max()));
        }
        return [.. sequence];
    }

    private static long[] Search(long startToken, long endToken, int beams, int maxNewTokens, NextLogits next)
    {
        // All beams start alike, so only the first counts in the first round.
        var running = Enumerable.Range(0, beams).Select(i => new Beam([startToken], i == 0 ? 0 : Impossible)).ToArray();
        var finished = new List<Beam>();
        for (var length = 1; ; length++)
        {
            var candidates = Expand(running, next, keep: 2 * beams);
            var complete = candidates.Select(candidate => candidate.Tokens[^1] == endToken || length == maxNewTokens).ToArray();

            // Only those among the first `beams` may finish: a finished one further down would push out a better open one.
            finished.AddRange(
                candidates.Take(beams).Where((_, i) => complete[i]).Select(candidate => candidate with { Score = candidate.Score / length })
            );
            finished = [.. finished.OrderByDescending(beam => beam.Score).Take(beams)];
            running =
            [
                .. candidates
                    .Select((candidate, i) => complete[i] ? candidate with { Score = candidate.Score + Impossible } : candidate)
                    .OrderByDescending(beam => beam.Score)
                    .Take(beams),
            ];

            // An open beam only gets less likely: done when even the best cannot beat the worst that is kept.
            var improvable = finished.Count < beams || running[0].Score / length > finished[^1].Score;
            if (!improvable || complete.All(isComplete => isComplete))
                return (finished.Count > 0 ? finished[0] : running[0]).Tokens;
        }
    }

    private static Beam[] Expand(Beam[] beams, NextLogits next, int keep)
    {
        var logits = next([.. beams.Select(beam => beam.Tokens)]);
        var best = new PriorityQueue<(int Beam, int Token), double>();
        for (var b = 0; b < beams.Length; b++)
        {
            var highest = logits[b].Max();
            var normalizer = highest + Math.Log(logits[b].Sum(logit => Math.Exp(logit - highest)));
            for (var token = 0; token < logits[b].Length; token++)
            {
                var score = beams[b].Score + logits[b][token] - normalizer;
                if (best.Count < keep)
                    best.Enqueue((b, token), score);
                else
                    best.EnqueueDequeue((b, token), score);
            }
        }
        var chosen = new Beam[best.Count];
        for (var i = chosen.Length - 1; i >= 0; i--)
        {
            best.TryDequeue(out var at, out var score);
            chosen[i] = new Beam([.. beams[at.Beam].Tokens, at.Token], score);
        }
        return chosen;
    }

    private sealed record Beam(long[] Tokens, double Score);
}
