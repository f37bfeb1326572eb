using System.Text.RegularExpressions;

namespace Sdxl.Core.Identity;

/// <summary>
/// Where versions are published: <c>owner/name</c>, both lower-case words of a-z, 0-9, '-', '_' and '.', 1..64 characters.
/// </summary>
public sealed partial record ModelName(string Owner, string Name)
{
    public override string ToString() => $"{Owner}/{Name}";

    /// <summary>Reads <c>owner/name</c>, or <c>name</c> alone (then <paramref name="defaultOwner"/> owns it).</summary>
    /// <returns>null and the sentence that says why when the text is not a model name.</returns>
    public static ModelName? TryParse(string text, string defaultOwner, out string? problem)
    {
        var parts = text.Split('/');
        var (owner, name) = parts.Length switch { 1 => (defaultOwner, parts[0]), 2 => (parts[0], parts[1]), _ => ("", "") };
        if (Word().IsMatch(owner) && Word().IsMatch(name))
        {
            problem = null;
            return new ModelName(owner, name);
        }
        problem =
            $"Model name '{text}' is not of the form name or owner/name. Use lower-case letters, digits, '-', '_' and '.', at most 64 a "
                + "part, "
            + $"for example '{Slug(text).Name}'.";
        return null;
    }

    /// <summary>A valid name made from any text, such as a file name: "My Cat (2).zip" gives my-cat-2.</summary>
    public static (string Name, bool Changed) Slug(string text)
    {
        var stem = Regex.Replace(text.Split('/', '\\')[^1], @"\.(zip|tar|tgz|tar\.gz)$", "", RegexOptions.IgnoreCase);
        var slug = NotWord().Replace(stem.ToLowerInvariant(), "-").Trim('-', '.', '_');
        slug = slug.Length == 0 ? "model" : slug[..Math.Min(slug.Length, 64)].TrimEnd('-', '.', '_');
        return (slug, slug != text);
    }

    [GeneratedRegex(@"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$")]
    private static partial Regex Word();

    [GeneratedRegex(@"[^a-z0-9]+")]
    private static partial Regex NotWord();
}
