using System.Text.Json;

namespace Sdxl.Core.Captions;

/// <summary>
/// Captions in JSON: lines of objects (Hugging Face's metadata.jsonl), a list of objects, or an object with the pictures' names as keys
/// (kohya's meta_cap.json).
/// </summary>
internal static class CaptionJson
{
    private static readonly string[] s_captionKeys = ["caption", "text", "prompt", "captions", "description", "tags"];
    private static readonly string[] s_pictureKeys = ["file_name", "image_file", "filename", "file", "image", "image_path", "path", "name"];

    /// <summary>Written by hand, it may have comments and commas too many.</summary>
    public static JsonDocumentOptions Lenient => new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    /// <param name="text">The whole file.</param>
    /// <param name="name">Its path in the archive, for messages.</param>
    /// <param name="isLines">One object a line.</param>
    public static CaptionTable Read(string text, string name, bool isLines)
    {
        var (rows, warnings) = (new List<CaptionRow>(), new List<string>());
        if (isLines)
        {
            var lines = text.ReplaceLineEndings("\n").Split('\n');
            for (var i = 0; i < lines.Length; i++)
            {
                if (lines[i].Trim().Length > 0)
                    ReadPiece(lines[i], i + 1);
            }
        }
        else
            ReadPiece(text, 1);
        if (rows.Count == 0 && warnings.Count == 0)
            warnings.Add(
                $"Caption file '{name}' names no pictures with captions: write {{\"file_name\": \"cat.png\", \"text\": \"a photo of "
                    + "TOK\"}, one a line. It is not used."
            );
        return new CaptionTable(rows, warnings);

        void ReadPiece(string json, int line)
        {
            try
            {
                using var document = JsonDocument.Parse(json, Lenient);
                ReadElement(document.RootElement, line);
            }
            catch (JsonException e)
            {
                warnings.Add(
                    $"Caption file '{name}', line {line}: is not JSON ({e.Message.TrimEnd('.')}); {(isLines ? "the line" : "the file")} is "
                        + "left out."
                );
            }
        }

        void ReadElement(JsonElement element, int line)
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in element.EnumerateArray())
                    ReadElement(item, line);
            }
            else if (element.ValueKind == JsonValueKind.Object && s_pictureKeys.Select(key => Property(element, key))
                .FirstOrDefault(value => value?.ValueKind == JsonValueKind.String) is { } picture)
                Add(picture.GetString()!, CaptionIn(element), line);
            else if (element.ValueKind == JsonValueKind.Object && !isLines)
            {
                foreach (var entry in element.EnumerateObject())
                    Add(entry.Name, CaptionIn(entry.Value), line);
            }
            else
                warnings.Add($"Caption file '{name}', line {line}: names no picture under \"file_name\"; the line is left out.");
        }

        void Add(string picture, string? caption, int line) => rows.Add(new CaptionRow(name, line, picture, caption ?? ""));
    }

    /// <summary>A text, a list of tags, or what an object has under one of the usual keys; null: nothing.</summary>
    public static string? CaptionIn(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => CaptionText.OneLine(element.GetString()!),
        JsonValueKind.Array => element.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String)
            .Select(item => item.GetString()!.Trim()).ToList() is { Count: > 0 } tags
            ? CaptionText.OneLine(string.Join(", ", tags)) : null,
        JsonValueKind.Object => s_captionKeys.Select(key => Property(element, key))
            .Where(value => value?.ValueKind is JsonValueKind.String or JsonValueKind.Array)
            .Select(value => CaptionIn(value!.Value)).FirstOrDefault(caption => caption is not null),
        _ => null,
    };

    private static JsonElement? Property(JsonElement element, string key)
    {
        foreach (var property in element.EnumerateObject())
        {
            if (property.Name.Equals(key, StringComparison.OrdinalIgnoreCase))
                return property.Value;
        }
        return null;
    }
}
