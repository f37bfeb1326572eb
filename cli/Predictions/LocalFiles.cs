using System.Text.Json.Nodes;

namespace Sdxl.Cli.Predictions;

/// <summary>Inputs that may be files: one that names a file of this machine is sent along, anything else (address, data URI, container/path) goes to the host as it is.</summary>
internal static class LocalFiles
{
    private static readonly string[] s_inputs = ["image", "mask", "replicate_weights"];

    /// <returns>The inputs without those that are files, and these files' paths by input name.</returns>
    /// <exception cref="CliException">What can only be a path of this machine is not there, or a folder.</exception>
    public static (JsonObject Texts, IReadOnlyDictionary<string, string> Files) Split(JsonObject input)
    {
        var texts = input.DeepClone().AsObject();
        var files = new Dictionary<string, string>();
        foreach (var name in s_inputs)
        {
            if (texts[name]?.ToString() is not { Length: > 0 } value || value.Contains("://", StringComparison.Ordinal) || value.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
                continue;
            if (File.Exists(value))
            {
                files[name] = value;
                texts.Remove(name);
            }
            else if (Directory.Exists(value))
                throw new CliException($"'{value}' is a folder. Give one file for --{name.Replace('_', '-')}.");
            else if (Path.IsPathRooted(value) || value.StartsWith('.') || value.StartsWith('~') || !value.Contains('/'))
                throw new CliException($"There is no file '{value}' for --{name.Replace('_', '-')}. Give a file, an http(s) address, a data URI, or container/path of a blob in the host's storage.");
        }
        return (texts, files);
    }
}
