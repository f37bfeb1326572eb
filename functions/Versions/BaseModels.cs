using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Versions;

/// <summary>A base model as a published one: what trainings are made of, and what draws without a fine-tune.</summary>
/// <param name="Name">stability-ai/{name}.</param>
/// <param name="Version">64 hex characters, the same for ever.</param>
public sealed record BaseModel(string Name, string Version, BaseManifest Manifest)
{
    public string FullName => $"{BaseModels.Owner}/{Name}";
}

/// <summary>
/// The base models under the names that Replicate's clients use. stability-ai/sdxl is this deployment's default base, whatever that is; the
/// others are there by their own names.
/// </summary>
public sealed class BaseModels(IOptions<SdxlOptions> options, BaseCatalog catalog)
{
    public const string Owner = "stability-ai";

    private const string Usual = "sdxl";

    /// <summary>Versions of stability-ai/sdxl that examples paste; all mean the default base.</summary>
    private static readonly string[] s_aliases =
    [
        "39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b",
        "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
        "da77bc59ee60423279fd632efb4795ab731d9e3ca9705ef3341091fb989b7eaf",
        "8beff3369e81422112d93b89ca01426147de542cd4684c244b673b105188fe5f",
    ];

    /// <summary>All of them, the default base first.</summary>
    public IReadOnlyList<BaseModel> All()
    {
        var folder = options.Value.ModelsFolder;
        var names = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json").Select(Path.GetFileNameWithoutExtension) : [];
        return
        [
            Default(),
            .. names.OfType<string>().Where(name => name != options.Value.DefaultBase && name != Usual)
                .Order(StringComparer.Ordinal).Select(OfBase),
        ];
    }

    public BaseModel Default() => new(Usual, VersionOf(Usual), catalog.Get(null));

    /// <param name="baseName">A manifest's name, as records have it.</param>
    /// <exception cref="BaseNotFoundException">There is no such manifest.</exception>
    public BaseModel OfBase(string baseName) =>
        baseName == options.Value.DefaultBase ? Default() : new BaseModel(baseName, VersionOf(baseName), catalog.Get(baseName));

    /// <summary>owner/name and version of a record's base model, which may not be there any more.</summary>
    public (string Model, string Version) NameOf(string baseName)
    {
        var name = baseName == options.Value.DefaultBase ? Usual : baseName;
        return ($"{Owner}/{name}", VersionOf(name));
    }

    /// <returns>null: no base model of that name.</returns>
    public BaseModel? Find(string owner, string name) =>
        owner == Owner ? All().FirstOrDefault(model => model.Name == name) : null;

    /// <returns>null: no base model's version, nor an alias of one.</returns>
    public BaseModel? FindVersion(string version) =>
        s_aliases.Contains(version) ? Default() : All().FirstOrDefault(model => model.Version == version);

    /// <summary>What "stability-ai/NAME", "stability-ai/NAME:ID" or an id alone means; null: no base model.</summary>
    public BaseModel? FindReference(string reference)
    {
        var colon = reference.IndexOf(':');
        var named = reference.StartsWith($"{Owner}/", StringComparison.Ordinal)
            ? Find(Owner, reference[(Owner.Length + 1)..(colon < 0 ? reference.Length : colon)]) : null;
        if (colon < 0 && named is not null)
            return named;
        var known = FindVersion(reference[(colon + 1)..]);
        return colon < 0 || known?.Name == named?.Name ? known : null;
    }

    private static string VersionOf(string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"base:{Owner}/{name}")));
}
