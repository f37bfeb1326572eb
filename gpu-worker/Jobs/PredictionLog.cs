using System.Globalization;
using System.Text;
using Sdxl.Core.Predictions;

namespace Sdxl.GpuWorker.Jobs;

/// <summary>
/// A prediction's log: the seed, the prompt as the nets read it, the mode, then a line for each percent, as Replicate's clients parse them
/// (" 50%|#####     | 25/50 [00:01&lt;00:01, 22.10it/s]": nothing before the number, a bar that is not empty, each on a line of its own).
/// </summary>
internal sealed class PredictionLog
{
    private const int BarLetters = 10;

    private readonly StringBuilder _text = new();
    private int _percent = -1;

    public void Begin(PredictionInputs inputs, string prompt)
    {
        _text.Append(CultureInfo.InvariantCulture, $"Using seed: {inputs.Seed}\nPrompt: {prompt.ReplaceLineEndings(" ")}\n");
        _text.Append((inputs.Image, inputs.Mask) switch
        {
            ({ Length: > 0 }, { Length: > 0 }) => "inpaint mode\n",
            ({ Length: > 0 }, _) => "img2img mode\n",
            _ => "txt2img mode\n",
        });
    }

    /// <param name="elapsed">Since the first step.</param>
    /// <returns>true if there is a new line.</returns>
    public bool Step(int step, int total, TimeSpan elapsed, double? stepsPerSecond)
    {
        var percent = 100 * step / total;
        if (percent == _percent)
            return false;
        _percent = percent;
        var filled = BarLetters * step / total;
        var left = stepsPerSecond is > 0 and var speed ? Clock(TimeSpan.FromSeconds((total - step) / speed)) : "?";
        var rate = stepsPerSecond is { } known ? known.ToString("0.00", CultureInfo.InvariantCulture) : "?";
        _text.Append(
            CultureInfo.InvariantCulture,
            $"{percent, 3}%|{new string('#', filled)}{new string(' ', BarLetters - filled)}| {step}/{total} [{Clock(elapsed)}<{left}, "
                + $"{rate}it/s]\n"
        );
        return true;
    }

    public override string ToString() => _text.ToString();

    private static string Clock(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes:00}:{time.Seconds:00}");
}
