using System.Diagnostics;

namespace Sdxl.Bench.Vision;

/// <summary>Ours and the peers in turn, so that all see the same machine; the peer that is faster counts.</summary>
internal sealed class Comparison(IReadOnlyList<NodePeer> peers, int rounds)
{
    private const double SampleMilliseconds = 250;      // shorter samples measure the scheduler
    private const int BurnIn = 3;
    private const double Typical = 0.25;                // of the samples, the shortest first: other programs only ever lengthen them

    // ONNX Runtime's idle threads spin for some milliseconds after a run: whoever comes next would pay for it.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);

    /// <param name="stage">The peer's name of the stage.</param>
    /// <param name="pictures">How many pictures one call of <paramref name="ours"/> does.</param>
    public (Row Row, string Detail) Run(string name, string stage, int pictures, Action ours)
    {
        var repeats = Calibrate(ours);
        var mine = new List<double>();
        var theirs = peers.Select(_ => new List<double>()).ToArray();
        for (var round = -BurnIn; round < rounds; round++)
        {
            if (round == 0)
                Restart();
            // Every other round the other way round: whatever disturbs the first disturbs each as often.
            for (var turn = 0; turn <= peers.Count; turn++)
            {
                var who = round % 2 == 0 ? turn : peers.Count - turn;
                Thread.Sleep(s_pause);
                var milliseconds = who == 0 ? Time(ours, repeats) : peers[who - 1].Milliseconds(stage, repeats * pictures);
                if (round >= 0)
                    (who == 0 ? mine : theirs[who - 1]).Add(milliseconds / repeats);
            }
        }
        var best = Enumerable.Range(0, peers.Count).MinBy(i => Quantile(theirs[i], Typical));
        var (own, other) = (Quantile(mine, Typical), Quantile(theirs[best], Typical));
        var row = new Row(name, own, other, own / other, PeakMemory.Mebibytes(Environment.ProcessId), PeakMemory.Mebibytes(peers[best].Id));
        return (
            row,
            FormattableString.Invariant(
                $"{Quantile(mine, 0):0.00}..{Quantile(mine, 0.75):0.00}, {Quantile(theirs[best], 0):0.00}..{Quantile(theirs[best], 0.75):0.00} with {peers[best].Threads} thread{(peers[best].Threads == 1 ? "" : "s")}"
            )
        );
    }

    private void Restart()
    {
        PeakMemory.Restart(Environment.ProcessId);
        foreach (var peer in peers)
            PeakMemory.Restart(peer.Id);
    }

    private static int Calibrate(Action ours)
    {
        Time(ours, 1);                                  // opens the sessions
        return Math.Clamp((int)Math.Ceiling(SampleMilliseconds / Math.Max(Time(ours, 3) / 3, 0.01)), 1, 1000);
    }

    private static double Time(Action action, int repeats)
    {
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < repeats; i++)
            action();
        return clock.Elapsed.TotalMilliseconds;
    }

    private static double Quantile(List<double> values, double at) => values.Order().ElementAt((int)(at * (values.Count - 1)));
}
