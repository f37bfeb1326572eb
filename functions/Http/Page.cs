using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Sdxl.Functions.Http;

/// <summary>A piece of a list, newest first.</summary>
/// <param name="Previous">Always null: lists are read forwards.</param>
/// <param name="Next">Absolute link to the piece after this one; null at the end, never "".</param>
public sealed record Page<T>(string? Previous, string? Next, IReadOnlyList<T> Results);

/// <summary>Where a list goes on: ?cursor=… (opaque to clients) and ?limit=N.</summary>
public sealed class Paging(Addresses addresses)
{
    /// <summary>Replicate's.</summary>
    public const int UsualSize = 100;

    /// <param name="Cursor">The last entry that was shown; null: from the beginning.</param>
    public readonly record struct Wanted(string? Cursor, int Size);

    /// <exception cref="IntakeException">422: the limit is no number from 1 to 100.</exception>
    public static Wanted Of(HttpRequest request)
    {
        var limit = request.Query["limit"].ToString();
        var size = UsualSize;
        if (
            limit.Length > 0
            && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size is < 1 or > UsualSize)
        )
            throw new IntakeException([new IntakeProblem("limit", $"'limit' is '{limit}'; it must be 1 to {UsualSize}.", 422)]);
        return new Wanted(request.Query["cursor"].ToString() is { Length: > 0 } cursor ? cursor : null, size);
    }

    /// <param name="next">The last entry shown where more follow; null at the end.</param>
    /// <remarks>Other words of the query are kept: a filter holds for the whole list.</remarks>
    public Page<T> Page<T>(HttpRequest request, IReadOnlyList<T> results, string? next)
    {
        if (next is null)
            return new Page<T>(null, null, results);
        var words = request.Query.Where(pair => pair.Key != "cursor")
            .SelectMany(pair => pair.Value.Select(value => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(value ?? "")}"))
            .Append($"cursor={Uri.EscapeDataString(next)}");
        return new Page<T>(null, $"{addresses.Of(request, request.Path.Value!.TrimStart('/'))}?{string.Join('&', words)}", results);
    }
}
