namespace Sdxl.Diffusion.Training;

/// <summary>A training cannot start or go on; the message says what failed and what to do.</summary>
public class TrainingException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A loss or gradient was infinite or not a number.</summary>
public sealed class NonFiniteLossException(int step, double loss, double gradientNorm)
    : TrainingException(FormattableString.Invariant($"Step {step}: loss {loss}, gradient norm {gradientNorm}."))
{
    public int Step { get; } = step;
}
