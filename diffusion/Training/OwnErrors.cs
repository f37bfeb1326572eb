using System.Globalization;
using System.Text.Json.Serialization;

namespace Sdxl.Diffusion.Training;

/// <summary>
/// What a net gets wrong on the training's own pictures: squared errors at fixed timesteps under fixed noise, taken before the first step
/// and after the last. They tell whether a training ended far above where it began, which the losses of its steps cannot: each is of other
/// timesteps, and those differ a hundredfold.
/// </summary>
/// <param name="Squares">Mean squared error of each sample, timesteps rising; 1 is what a net that knows nothing gets.</param>
public sealed record OwnErrors(IReadOnlyList<double> Squares)
{
    /// <summary>Samples, their timesteps spread evenly over the schedule.</summary>
    public const int Samples = 8;

    /// <summary>
    /// Measured on the toy: usual rates end at 0.6 to 1 times the start, also after one step; those a hundred times as high at 7 to 16
    /// times, also after two.
    /// </summary>
    private const double MostOfTheStart = 2;

    [JsonIgnore]
    public double Mean => Squares.Average();

    /// <summary>None is infinite or not a number.</summary>
    [JsonIgnore]
    public bool AreNumbers => Squares.All(double.IsFinite);

    /// <summary>
    /// Both the mean, which large timesteps hardly move, and most samples by themselves have more than doubled, or something is no number.
    /// </summary>
    /// <remarks>
    /// A training is given exactly these pictures to lower exactly this error, so there is no honest way to double it, whatever the rates,
    /// masks, weights or number of steps.
    /// </remarks>
    public bool FarAbove(OwnErrors start)
    {
        if (!AreNumbers)
            return true;
        var doubled = Squares.Zip(start.Squares).Count(s => s.First > MostOfTheStart * s.Second);
        return Mean > MostOfTheStart * start.Mean && 2 * doubled > Squares.Count;
    }

    public override string ToString() => Mean.ToString("g3", CultureInfo.InvariantCulture);
}
