using Sdxl.Core.Storage;

namespace Sdxl.Core.Versions;

/// <summary>A published version by its full name, owner/name:id: as records and messages have it.</summary>
/// <param name="Id">64 lower-case hex characters: the SHA-256 of its manifest.</param>
public readonly record struct VersionName(string Owner, string Name, string Id)
{
    /// <exception cref="FormatException">The text is not owner/name:id.</exception>
    public static VersionName Parse(string text) => text.Split('/', ':') is [var owner, var name, var id] && text == $"{owner}/{name}:{id}"
        ? new VersionName(owner, name, id)
        : throw new FormatException($"'{text}' is no version's full name; expected owner/name:id.");

    /// <summary>Where a file of it lies in the container of models.</summary>
    public string Blob(string file) => StorageLayout.Version(Owner, Name, Id, file);

    public override string ToString() => $"{Owner}/{Name}:{Id}";
}
