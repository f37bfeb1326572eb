using System.Text.RegularExpressions;

namespace Sdxl.Tests.Infra.Containers;

/// <summary>A Dockerfile's instructions and what is wrong with them.</summary>
internal sealed partial class Dockerfile
{
    private static readonly string[] s_known = [
        "ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT"];

    private readonly List<(string Word, string Arguments)> _instructions;

    private Dockerfile(List<(string Word, string Arguments)> instructions) => _instructions = instructions;

    public static Dockerfile Parse(string text) => new([.. Continued().Replace(text, " ").Split('\n')
        .Where(line => line.Trim() is { Length: > 0 } code && code[0] != '#')
        .Select(line => line.Split(' ', 2) is [var word, var arguments] ? (word, arguments.Trim()) : (line, ""))]);

    /// <summary>Each mistake as a sentence.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var (word, _) in _instructions.Where(i => !s_known.Contains(i.Word)))
            yield return $"'{word}' is no instruction that is used here";

        var stages = new List<string>();
        var given = _instructions.TakeWhile(i => i.Word != "FROM").Where(i => i.Word == "ARG").Select(i => i.Arguments.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? "");
        foreach (var (_, rest) in _instructions.Where(i => i.Word == "FROM"))
        {
            var image = Variable().Replace(rest.Split(' ')[0], match => given.GetValueOrDefault(match.Groups["name"].Value, ""));
            if (image.Length == 0)
                yield return $"FROM {rest}: the image is not given";
            else if (!stages.Contains(image)
                && (!image.Contains(':', StringComparison.Ordinal) || image.EndsWith(":latest", StringComparison.Ordinal)))
                yield return $"image {image} is not pinned";
            if (rest.Split(' ') is [_, "AS", var name])
                stages.Add(name);
        }
        foreach (var (_, rest) in _instructions.Where(i => i.Word == "COPY"))
        {
            if (StageOf().Match(rest) is { Success: true } from && !stages.Contains(from.Groups["stage"].Value))
                yield return $"COPY --from={from.Groups["stage"].Value}: there is no such stage before";
        }
        foreach (var (_, rest) in _instructions.Where(i => i.Word == "RUN"))
        {
            if (rest.Contains("apt-get install", StringComparison.Ordinal)
                && !(rest.Contains("apt-get update", StringComparison.Ordinal)
                    && rest.Contains("--no-install-recommends", StringComparison.Ordinal)
                    && rest.Contains("rm -rf /var/lib/apt/lists", StringComparison.Ordinal)))
                yield return "apt-get install without update, --no-install-recommends and clean-up in the same layer";
            if (rest.Contains("sudo ", StringComparison.Ordinal) || rest.Contains("curl ", StringComparison.Ordinal))
                yield return $"RUN {rest}: neither sudo nor downloads without a hash";
            if (rest.Contains("tool install", StringComparison.Ordinal) && !rest.Contains("--version", StringComparison.Ordinal))
                yield return "a tool is installed without its version";
        }
        if (!_instructions.Exists(i => i.Word == "RUN" && i.Arguments.Contains("CycloneDX", StringComparison.Ordinal)))
            yield return "no list of what the image is made of (SBOM) is written";

        var last = _instructions.Skip(_instructions.FindLastIndex(i => i.Word == "FROM")).ToList();
        if (last.FindLast(i => i.Word == "USER") is not { Word: not null } user || !user.Arguments.All(char.IsAsciiDigit)
            || user.Arguments is "" or "0")
            yield return "the last stage does not run as a user that is named by a number other than 0";
        if (!last.Exists(i => i.Word == "STOPSIGNAL"))
            yield return "no STOPSIGNAL";
        foreach (var (word, rest) in last.Where(i => i.Word == "ENTRYPOINT" && i.Arguments[0] != '['))
            yield return $"{word} {rest}: a shell would stand between the program and its signals";
        foreach (var (_, rest) in _instructions.Where(i => i.Word is "ENV" or "ARG" && Secret().IsMatch(i.Arguments)))
            yield return $"{rest.Split('=')[0]} looks like a secret and would stay in the image";
    }

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@"\$\{(?<name>\w+)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"--from=(?<stage>[\w-]+)")]
    private static partial Regex StageOf();

    [GeneratedRegex("(?i)(secret|password|token|accountkey)[a-z_]*=")]
    private static partial Regex Secret();
}
