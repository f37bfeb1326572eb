using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sdxl.Core.Storage;

namespace Sdxl.Cli.Predictions;

/// <summary>
/// Inputs that may be files: one that names a file of this machine is sent along, anything else (address, data URI, container/path) goes to
/// the host as it is.
/// </summary>
internal static partial class LocalFiles
{
    private static readonly string[] s_inputs = ["image", "mask", "replicate_weights"];

    /// <returns>The inputs without those that are files, and these files' paths by input name.</returns>
    /// <exception cref="CliException">What can only be a path of this machine is not there, or a folder.</exception>
    public static (JsonObject Texts, IReadOnlyDictionary<string, string> Files) Split(JsonObject input)
    {
        if (Problems(input).FirstOrDefault() is { } problem)
            throw new CliException(problem);
        var texts = input.DeepClone().AsObject();
        var files = new Dictionary<string, string>();
        foreach (var (name, value) in Paths(input).Where(pair => File.Exists(pair.Value)))
        {
            files[name] = value;
            texts.Remove(name);
        }
        return (texts, files);
    }

    /// <summary>A sentence for each input that can only be a path of this machine and is no file there.</summary>
    public static IEnumerable<string> Problems(JsonObject input)
    {
        foreach (var (name, value) in Paths(input).Where(pair => !File.Exists(pair.Value)))
        {
            if (Directory.Exists(value))
                yield return $"'{value}' is a folder. Give one file for --{name.Replace('_', '-')}.";
            else if (!MayBeBlob(value))
                yield return $"There is no file '{value}' for --{name.Replace('_', '-')}. Give a file, an http(s) address, a data URI, or container/path of a blob in the host's storage.";
        }
    }

    /// <summary>What is neither an address nor a data URI.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Paths(JsonObject input) =>
        from name in s_inputs
        let value = input[name]?.ToString()
        where
            value is { Length: > 0 }
            && !value.Contains("://", StringComparison.Ordinal)
            && !value.StartsWith("data:", StringComparison.OrdinalIgnoreCase)
        select KeyValuePair.Create(name, value);

    /// <summary>
    /// container/path, unless the container can be none: by its letters, or because it is a folder here and not one of the product's
    /// containers.
    /// </summary>
    private static bool MayBeBlob(string value)
    {
        var slash = value.IndexOf('/');
        if (slash < 0 || !ContainerName().IsMatch(value[..slash]))
            return false;
        return StorageLayout.Containers.Contains(value[..slash]) || !Directory.Exists(value[..slash]);
    }

    /// <summary>3 to 63 lower-case letters, digits and hyphens; also Azure's own $root and the like.</summary>
    [GeneratedRegex(@"^(\$[a-z]+|[a-z0-9](-?[a-z0-9]){2,62})$")]
    private static partial Regex ContainerName();
}
