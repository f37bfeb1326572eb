using System.Diagnostics;
using System.Globalization;

namespace Sdxl.Bench.Vision;

/// <summary>bench/peers/vision.mjs as a child process: a stage and a count go in, the milliseconds of that many runs come out.</summary>
internal sealed class NodePeer : IDisposable
{
    private readonly Process _process;

    public NodePeer(string root, string inputsFolder, int threads)
    {
        var start = new ProcessStartInfo(
            "node",
            [
                Path.Combine(root, "bench", "peers", "vision.mjs"),
                Path.Combine(root, "models"),
                inputsFolder,
                threads.ToString(CultureInfo.InvariantCulture),
            ]
        )
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = Path.Combine(root, "bench", "peers"),
        };
        Threads = threads;
        _process = Process.Start(start) ?? throw new InvalidOperationException("node did not start; install Node.js 20 or newer.");
        if (Line() is var line && line != "ready")
            throw new InvalidOperationException($"bench/peers/vision.mjs: expected 'ready', found '{line}'.");
    }

    public int Threads { get; }

    public int Id => _process.Id;

    public double Milliseconds(string stage, int count)
    {
        _process.StandardInput.WriteLine(FormattableString.Invariant($"{stage} {count}"));
        _process.StandardInput.Flush();
        return double.Parse(Line(), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5000))
            _process.Kill();
        _process.Dispose();
    }

    private string Line() => _process.StandardOutput.ReadLine()
        ?? throw new InvalidOperationException("bench/peers/vision.mjs ended. Run `npm ci --prefix bench/peers` first.");
}
