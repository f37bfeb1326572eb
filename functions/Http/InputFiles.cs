using Azure;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Sdxl.Core.Inputs;
using Sdxl.Core.Storage;
using Sdxl.Functions.Files;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Storage;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Http;

/// <summary>A file that an input names or brings.</summary>
/// <param name="Name">What the user calls it, without folders.</param>
/// <param name="Blob">container/name where it lies in this service's storage already; null: <paramref name="Content"/> holds it.</param>
public sealed record InputFile(string Name, string? Blob, Stream? Content) : IDisposable
{
    public void Dispose() => Content?.Dispose();
}

/// <summary>
/// Finds what a text input means that stands for a file: a data URI, a blob of this service's storage (container/path or its URL), a file
/// that this app serves (one that was sent to v1/files, a version's, a drawn picture), or an address on the public internet.
/// </summary>
public sealed class InputFiles(BlobStore blobs, VersionStore versions, FileStore files, FileLinks links, PublicWeb web,
    Addresses addresses, IOptions<SdxlOptions> options)
{
    /// <summary>Containers whose blobs begin with their owner; what is not his does not exist for him.</summary>
    private static readonly string[] s_owned =
        [StorageLayout.Datasets, StorageLayout.Jobs, StorageLayout.Models, StorageLayout.Predictions, StorageLayout.Files];

    /// <exception cref="IntakeException">One sentence: not there, too large, not allowed. Query strings, which may hold access signatures,
    /// are never repeated.</exception>
    public async Task<InputFile> OpenAsync(string field, string link, HttpRequest request, CancellationToken cancel)
    {
        link = link.Trim();
        if (DataUri.IsOne(link))
            return Decode(field, link);
        if (!link.Contains("://", StringComparison.Ordinal))
            return await BlobAsync(field, link, Allowed(link.TrimStart('/'), request.Owner()), cancel);
        if (!Uri.TryCreate(link, UriKind.Absolute, out var address))
            throw Refuse(field, 422, $"Input '{field}' is {Shown(link)}, which is not an address. {Expected(field)}");
        if (PathBelow(address, blobs.Endpoint.AbsoluteUri) is { } inStorage)
            return await BlobAsync(field, link, Allowed(inStorage, request.Owner()), cancel);
        if (PathBelow(address, addresses.Of(request, "")) is { } served)
        {
            if (served.Split('/') is ["v1", "files", var file, ..])
                return await SentAsync(field, link, file, request, cancel);
            return await BlobAsync(field, link, await ServedAsync(served, address, request, cancel), cancel);
        }
        var name = Path.GetFileName(Uri.UnescapeDataString(address.AbsolutePath));
        var content = await SpoolFile.MakeAsync(file => web.FetchAsync(field, address, options.Value.MaxArchiveBytes, file, cancel));
        return new InputFile(name.Length == 0 ? field : name, null, content);
    }

    /// <summary>What came in the request itself, as a file that disappears with its stream.</summary>
    public async Task<InputFile> KeepAsync(string field, string name, Stream content, CancellationToken cancel)
    {
        await using (content)
        {
            var file = await SpoolFile.MakeAsync(target => content.CopyToAsync(target, cancel));
            if (file.Length <= options.Value.MaxArchiveBytes)
                return new InputFile(Path.GetFileName(name.Replace('\\', '/')) is { Length: > 0 } plain ? plain : field, null, file);
            await file.DisposeAsync();
            throw TooLarge(field);
        }
    }

    public IntakeException TooLarge(string field) => Refuse(field, 413, field == "input_images"
        ? $"The archive is larger than {options.Value.MaxArchiveBytes >> 20} MiB. Leave pictures out or shrink them."
        : $"Input '{field}' is larger than {options.Value.MaxArchiveBytes >> 20} MiB. Put it into this service's storage and give "
            + "container/path.");

    private async Task<InputFile> BlobAsync(string field, string link, string? path, CancellationToken cancel)
    {
        if (path is null || path.IndexOf('/') is < 1 || path.EndsWith('/'))
            throw Refuse(field, 422, $"Input '{field}' is {Shown(link)}, which is no file of this service's storage. {Expected(field)}");
        try
        {
            if (await (await blobs.BlobAsync(path)).ExistsAsync(cancel))
                return new InputFile(path[(path.LastIndexOf('/') + 1)..], path, null);
        }
        catch (RequestFailedException e) when (e.Status is 404 or 400)
        {
            // A name that storage does not even take: the same answer as for one that is not there.
        }
        throw Refuse(field, 422, $"Input '{field}' is {Shown(link)}: there is no such blob in this service's storage. {Expected(field)}");
    }

    /// <summary>A file that was sent before: its bytes themselves, so that its end does not break a job that waits.</summary>
    private async Task<InputFile> SentAsync(string field, string link, string id, HttpRequest request, CancellationToken cancel)
    {
        if (await files.FindAsync(request.Owner(), id, cancel) is not { } file)
            throw Refuse(field, 422, $"Input '{field}' is {Shown(link)}: you have no such file, or have it no more. Send it again.");
        var blob = await blobs.BlobAsync(file.Blob());
        return new InputFile(file.Name, null, await SpoolFile.MakeAsync(target => blob.DownloadToAsync(target, cancel)));
    }

    /// <summary>The blob behind one of this app's own addresses, under the rules by which it is served; null: none.</summary>
    private async Task<string?> ServedAsync(string path, Uri address, HttpRequest request, CancellationToken cancel)
    {
        if (path.StartsWith(FileLinks.Path, StringComparison.Ordinal))
        {
            var words = QueryHelpers.ParseQuery(address.Query);
            return links.Verify(path[FileLinks.Path.Length..], words.GetValueOrDefault("expires"), words.GetValueOrDefault("signature"));
        }
        var caller = request.Owner();
        return path.Split('/') switch
        {
            ["v1", "models", var owner, var name, "versions", var version, .. var file]
                when owner == caller && (await versions.ModelAsync(owner, name, cancel))?.Versions.Any(v => v.Version == version) == true
                => $"{StorageLayout.Models}/{StorageLayout.Version(owner, name, version, string.Join('/', file))}",
            _ => null,
        };
    }

    /// <summary>The blob's path where this owner may name it; null elsewhere. Containers that are not this service's are for the
    /// deployment's owner, who has put them there.</summary>
    private string? Allowed(string path, string owner) => path.Split('/') switch
    {
        [StorageLayout.Records, ..] => null,
        // An address with dots leads elsewhere than its first words say.
        var parts when parts.Any(part => part is "" or "." or "..") => null,
        [StorageLayout.Uploads, var whose, _, ..] => whose == owner ? path : null,
        [var container, var whose, _, ..] when s_owned.Contains(container) => whose == owner ? path : null,
        [var container, ..] when s_owned.Contains(container) => null,
        _ => owner == options.Value.Owner ? path : null,
    };

    private InputFile Decode(string field, string link)
    {
        try
        {
            var (bytes, name) = DataUri.Parse(link, options.Value.MaxDataUriBytes);
            return new InputFile(name ?? field, null, new MemoryStream(bytes));
        }
        catch (DataUriException e)
        {
            throw Refuse(field, e.IsTooLarge ? 413 : 422, $"Input '{field}' is a data URI that {e.Message}.");
        }
    }

    private static string? PathBelow(Uri address, string root)
    {
        root = root.TrimEnd('/') + "/";
        return address.AbsoluteUri.StartsWith(root, StringComparison.OrdinalIgnoreCase)
            ? Uri.UnescapeDataString(address.AbsoluteUri[root.Length..].Split('?', '#')[0]) : null;
    }

    private static string Expected(string field) =>
        "Give container/path of a blob in this service's storage, an http(s) address or a data URI, or POST the file itself as "
            + $"multipart/form-data under the name '{field}'.";

    private static string Shown(string link) => $"'{(link.Length > 80 ? link[..77] + "…" : link).Split('?')[0]}'";

    private static IntakeException Refuse(string field, int status, string sentence) => new([new IntakeProblem(field, sentence, status)]);
}
