namespace Sdxl.Core.Bases;

/// <summary>A repository at one commit, and the files that a base model takes from it.</summary>
/// <param name="Repository">Hugging Face repository, owner/name.</param>
/// <param name="Revision">Commit, 40 hex digits: a branch moves, a commit does not.</param>
/// <param name="Licence">SPDX id or the licence's own name, as the repository's card gives it.</param>
/// <param name="LicenceUrl">Where the licence can be read.</param>
/// <param name="Into">Folder that the files go to, relative to the models folder.</param>
/// <param name="Facts">Where revision, sizes and hashes are known from: for people, not for programs.</param>
/// <param name="Files">What is taken.</param>
public sealed record BaseSource(
    string Repository, string Revision, string Licence, string LicenceUrl, string Into, string? Facts, IReadOnlyList<SourceFile> Files)
{
    /// <summary>The files with all that a download needs to know.</summary>
    public IEnumerable<BaseFile> ToFiles() =>
        Files.Select(file => new BaseFile($"{Into}/{file.As ?? file.File}", Repository, Revision, file.File, file.Bytes, file.Sha256,
            Licence, LicenceUrl));

    /// <exception cref="FormatException">Something is not pinned, or a path leaves the models folder.</exception>
    internal void Validate()
    {
        if (Repository.Split('/') is not [{ Length: > 0 }, { Length: > 0 }])
            throw new FormatException($"repository '{Repository}' must be owner/name.");
        if (!IsHex(Revision, 40))
            throw new FormatException($"revision '{Revision}' of {Repository} must be a commit (40 lower-case hex digits).");
        if (Licence.Length == 0 || LicenceUrl.Length == 0)
            throw new FormatException($"{Repository} has no licence, or no link to it.");
        foreach (var file in ToFiles())
        {
            if (file.Sha256 is { } hash && !IsHex(hash, 64))
                throw new FormatException($"sha256 '{hash}' of {file.Path} must be 64 lower-case hex digits.");
            if (file.Path.Split('/').Any(part => part is "" or "." or ".."))
                throw new FormatException($"path '{file.Path}' must stay in the models folder.");
        }
    }

    private static bool IsHex(string text, int length) => text.Length == length && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>One file of a repository.</summary>
/// <param name="File">Path in the repository.</param>
/// <param name="As">Path below the source's folder; null: the same as in the repository.</param>
/// <param name="Bytes">Size; null: the server is asked.</param>
/// <param name="Sha256">Lower-case hex; null: the server's header is taken once and kept in the lock file.</param>
public sealed record SourceFile(string File, string? As, long? Bytes, string? Sha256);

/// <summary>One file of a base model: where it comes from, what it must hash to, under which licence.</summary>
/// <param name="Path">Where it lies, relative to the models folder, with forward slashes.</param>
/// <param name="Repository">Hugging Face repository, owner/name.</param>
/// <param name="Revision">Commit.</param>
/// <param name="File">Path in the repository.</param>
/// <param name="Bytes">Size, if known beforehand.</param>
/// <param name="Sha256">Lower-case hex, or null.</param>
/// <param name="Licence">SPDX id or the licence's own name.</param>
/// <param name="LicenceUrl">Where it can be read.</param>
public sealed record BaseFile(string Path, string Repository, string Revision, string File, long? Bytes, string? Sha256, string Licence,
    string LicenceUrl);

/// <summary>A file that nobody offers ready-made: a command makes it from downloaded ones.</summary>
/// <param name="Path">Where it lies, relative to the models folder.</param>
/// <param name="Needs">Downloaded files that serve for nothing else; they may be deleted afterwards.</param>
/// <param name="Command">What makes it, to be typed in the repository's folder; {models} stands for the models folder.</param>
public sealed record MadeFile(string Path, IReadOnlyList<string> Needs, string Command)
{
    internal const string ModelsFolder = "{models}";
}
