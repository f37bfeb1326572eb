using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sdxl.Functions.Trainings;

/// <summary>A run's measurements as a plot wants them.</summary>
/// <param name="Points">One object a step, in order; every field that the worker writes, and loss_smoothed.</param>
/// <param name="LastStep">Of all that is measured; ask for what comes after it next time. 0: nothing yet.</param>
public sealed record RunMetrics(IReadOnlyList<JsonObject> Points, int LastStep)
{
    /// <summary>A plot has no more places.</summary>
    public const int MostPoints = 2000;

    private const double Smoothing = 0.97; // of the loss: about the mean of the last 30 steps

    /// <param name="text">Lines of JSON, each with "step". The last one may be cut off: it is still being written.</param>
    /// <param name="after">Steps up to this one are left out.</param>
    public static RunMetrics Read(string text, int after)
    {
        var points = new List<JsonObject>();
        var (smooth, weight, last) = (0.0, 0.0, 0);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (TryParse(line) is not { } point || point["step"] is not JsonValue number || !number.TryGetValue<int>(out var step))
                continue;
            if (point["loss"] is JsonValue loss && loss.TryGetValue<double>(out var value))
            {
                // Corrected for its beginning, as Adam does.
                (smooth, weight) = (Smoothing * smooth + (1 - Smoothing) * value, Smoothing * weight + (1 - Smoothing));
                point["loss_smoothed"] = Math.Round(smooth / weight, 6);
            }
            last = Math.Max(last, step);
            if (step > after)
                points.Add(point);
        }
        return new RunMetrics(Thin(points), last);
    }

    /// <summary>Evenly, the newest kept; and all that hold what few do, unless those are many, too.</summary>
    private static List<JsonObject> Thin(List<JsonObject> points)
    {
        if (points.Count <= MostPoints)
            return points;
        var rare = points.Count(IsRare);
        var places = rare > MostPoints / 2 ? MostPoints : MostPoints - rare;
        var every = (points.Count + places - 1) / places;
        return [.. points.Where((point, i) => (points.Count - 1 - i) % every == 0 || (places < MostPoints && IsRare(point)))];

        static bool IsRare(JsonObject point) => point["held_out"] is not null;
    }

    private static JsonObject? TryParse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
