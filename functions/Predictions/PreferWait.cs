using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Sdxl.Functions.Predictions;

/// <summary>The header Prefer: wait, or wait=N.</summary>
public static class PreferWait
{
    private const int MostSeconds = 60;

    /// <returns>How long the answer may be held back, 1 to 60 s; null: the caller does not want to wait.</returns>
    public static TimeSpan? Of(HttpRequest request)
    {
        foreach (var word in request.Headers["Prefer"].SelectMany(line => (line ?? "").Split(',', ';', ' ')))
        {
            if (word.Equals("wait", StringComparison.OrdinalIgnoreCase))
                return TimeSpan.FromSeconds(MostSeconds);
            if (word.StartsWith("wait=", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(word[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                return TimeSpan.FromSeconds(Math.Clamp(seconds, 1, MostSeconds));
        }
        return null;
    }
}
