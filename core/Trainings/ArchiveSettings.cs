using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sdxl.Core.Archives;
using Sdxl.Core.Inputs;
using Sdxl.Core.Json;

namespace Sdxl.Core.Trainings;

/// <summary>
/// training.json of an archive: inputs for the gaps that the given ones leave. What is wrong with one of them is said with the file's name
/// in front.
/// </summary>
public sealed class ArchiveSettings
{
    /// <summary>A name that stands twice is an error, not a choice.</summary>
    private static readonly JsonDocumentOptions s_json = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    private readonly string _where;
    private readonly JsonObject _values;
    private readonly HashSet<string> _filled = new(StringComparer.Ordinal);

    private ArchiveSettings(string where, JsonObject values) => (_where, _values) = (where, values);

    /// <summary>Of an archive without the file, or without an archive.</summary>
    public static ArchiveSettings None => new("", []);

    /// <exception cref="InputException">The file is not a JSON object.</exception>
    public static ArchiveSettings Read(Archive archive)
    {
        if (archive.Contents.SettingsPath is not { } path)
            return None;
        try
        {
            var bytes = archive.ReadSmall(path).AsSpan();
            var text = bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..] : bytes; // Notepad writes a mark
            return new ArchiveSettings(
                $"{path} in {archive.Name}",
                StrictJson.Parse(text, s_json) as JsonObject ?? throw new JsonException("it is not an object")
            );
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new InputException([
                new InputProblem(
                    path,
                    $"'{path}' in {archive.Name} is not a JSON object of inputs ({e.Message.TrimEnd('.')}). Write it as "
                        + "{\"max_train_steps\": 500}, or leave it out."
                ),
            ]);
        }
    }

    /// <summary>Adds what was not given.</summary>
    public void FillGaps(JsonObject given)
    {
        foreach (var (name, value) in _values)
        {
            if (given.TryAdd(name, value?.DeepClone()))
                _filled.Add(name);
        }
    }

    /// <summary>Reads inputs whose gaps were filled.</summary>
    /// <exception cref="InputException">Each sentence about an input of the file begins with "training.json in cats.zip: ".</exception>
    public T Locate<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InputException e)
        {
            throw new InputException([
                .. e.Problems.Select(problem =>
                    _filled.Contains(problem.Field) ? problem with { Sentence = $"{_where}: {problem.Sentence}" } : problem
                ),
            ]);
        }
    }
}
