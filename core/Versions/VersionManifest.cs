using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Sdxl.Core.Json;

namespace Sdxl.Core.Versions;

/// <param name="Name">File name inside the version's folder.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record VersionFile(string Name, long Bytes, string Sha256);

/// <summary>
/// manifest.json of a published version: the files with hashes and the effective configuration. Holds no clock and no id of the run, so
/// that the same pictures, settings and seed give the same version id.
/// </summary>
/// <param name="Parent">The version that the training went on from, owner/name:id; null, and not written: it began with the base
/// model.</param>
/// <param name="Step">The step whose weights it has, of a training that went on; null, and not written: a training's end.</param>
public sealed record VersionManifest(
    string Base, string Trigger, JsonObject Inputs, IReadOnlyList<VersionFile> Files,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Parent = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Step = null)
{
    public const string FileName = "manifest.json";

    /// <summary>The bytes that are stored and hashed.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(System.Text.Json.JsonSerializer.Serialize(this, SdxlJson.Indented) + "\n");

    /// <summary>Version id: SHA-256 of the manifest's bytes, 64 lower-case hex characters.</summary>
    public static string IdOf(ReadOnlySpan<byte> manifest) => Convert.ToHexStringLower(SHA256.HashData(manifest));
}
