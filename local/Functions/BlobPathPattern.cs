using System.Text;
using System.Text.RegularExpressions;

namespace Sdxl.Local.Functions;

/// <summary>A blob trigger's path: "container/name" with {placeholders} in the name. The last placeholder of a path takes slashes too.</summary>
internal sealed partial class BlobPathPattern
{
    private readonly Regex name;

    /// <exception cref="FormatException">There is no container, or a placeholder in it.</exception>
    public BlobPathPattern(string path)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        Container = slash < 0 ? path : path[..slash];
        if (Container.Length == 0 || Container.Contains('{', StringComparison.Ordinal))
            throw new FormatException($"Blob trigger path '{path}': expected \"container/name\", with placeholders in the name only.");
        name = new Regex(ToRegex(slash < 0 ? "{name}" : path[(slash + 1)..]), RegexOptions.CultureInvariant | RegexOptions.Singleline);
    }

    public string Container { get; }

    /// <returns>The placeholders' values, or null where the name does not fit.</returns>
    public Dictionary<string, object?>? Match(string blobName) => name.Match(blobName) is { Success: true } match
        ? match.Groups.Values.Skip(1).ToDictionary(group => group.Name, group => (object?)group.Value)
        : null;

    private static string ToRegex(string pattern)
    {
        var regex = new StringBuilder("^");
        var placeholders = Placeholder().Matches(pattern);
        var end = 0;
        for (var index = 0; index < placeholders.Count; index++)
        {
            var placeholder = placeholders[index];
            regex.Append(Regex.Escape(pattern[end..placeholder.Index]));
            var isLastOfPath = !pattern[(placeholder.Index + placeholder.Length)..].Contains('/', StringComparison.Ordinal) && index == placeholders.Count - 1;
            regex.Append('(').Append("?<").Append(placeholder.Groups[1].Value).Append('>').Append(isLastOfPath || placeholders.Count == 1 ? ".+" : "[^/]+").Append(')');
            end = placeholder.Index + placeholder.Length;
        }
        return regex.Append(Regex.Escape(pattern[end..])).Append('$').ToString();
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
