namespace Sdxl.Functions.Files;

/// <summary>What a file of this service is served as, by its name.</summary>
internal static class ContentTypes
{
    public static string Of(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".png" => "image/png",
        ".jpg" or ".jpeg" => "image/jpeg",
        ".webp" => "image/webp",
        ".json" => "application/json",
        ".jsonl" => "application/x-ndjson; charset=utf-8",
        ".txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };

    /// <summary>Pictures are shown by a browser; everything else is for saving.</summary>
    public static bool IsPicture(string name) => Of(name).StartsWith("image/", StringComparison.Ordinal);
}
