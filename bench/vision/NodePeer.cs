using System.Diagnostics;
using System.Globalization;

namespace Sdxl.Bench.Vision;

/// <summary>bench/peers/vision.mjs as a child process: one line in is one round of a stage, one line out its milliseconds.</summary>
internal sealed class NodePeer : IDisposable
{
    private readonly Process _process;

    public NodePeer(string root, string inputsFolder, int threads)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(root, "bench", "peers", "vision.mjs"), Path.Combine(root, "models"), inputsFolder, threads.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = Path.Combine(root, "tools", "npm"),
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("node did not start; install Node.js 20 or newer.");
        Expect("ready");
    }

    public double Milliseconds(string stage)
    {
        _process.StandardInput.WriteLine(stage);
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

    private void Expect(string expected)
    {
        if (Line() is var line && line != expected)
            throw new InvalidOperationException($"bench/peers/vision.mjs: expected '{expected}', found '{line}'.");
    }

    private string Line() => _process.StandardOutput.ReadLine()
        ?? throw new InvalidOperationException("bench/peers/vision.mjs ended. Run `npm ci --prefix tools/npm` first.");
}
