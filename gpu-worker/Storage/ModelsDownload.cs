using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.Core.Bases;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Jobs;

namespace Sdxl.GpuWorker.Storage;

/// <summary>
/// Brings base models to a machine that has none: every manifest of the container (NAME.json) and the files that it names, in the models
/// folder's own layout. What the
/// functions alone use (BLIP, CLIPSeg, …) stays away. A download that was cut goes on where it stopped; a file counts only once it hashes
/// to what its manifest says.
/// </summary>
public sealed class ModelsDownload(BlobServiceClient service, IOptions<WorkerOptions> options, ILogger<ModelsDownload> log) : IHostedService
{
    private const string Part = ".part"; // what is there of a file
    private const double Mebibyte = 1 << 20;

    private static readonly string[] s_visionFolders = ["blip", "clipseg", "swin2sr", "yunet"];

    private readonly string _folder = Path.GetFullPath(options.Value.ModelsFolder);

    /// <exception cref="InvalidOperationException">The container, or a file that a manifest names, is not there or is another one: no job
    /// is taken.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.ModelsContainer.Length == 0)
            return;
        var container = service.GetBlobContainerClient(options.Value.ModelsContainer);
        try
        {
            Directory.CreateDirectory(_folder);
            await foreach (var blob in container.GetBlobsByHierarchyAsync(BlobTraits.None, BlobStates.None, "/", null, cancellationToken))
            {
                if (blob.IsBlob && blob.Blob.Name.EndsWith(".json", StringComparison.Ordinal))
                    await BringBaseAsync(container, blob.Blob.Name, cancellationToken);
            }
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            throw new InvalidOperationException(
                $"Base models cannot be brought: container '{container.Name}' of {service.Uri.Host} is not there. "
                + "Make it, or clear the setting Sdxl__ModelsContainer.", e);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task BringBaseAsync(BlobContainerClient container, string manifestFile, CancellationToken cancel)
    {
        await container.GetBlobClient(manifestFile).DownloadToAsync(Path.Combine(_folder, manifestFile), cancel);
        var manifest = BaseManifest.Load(_folder, Path.GetFileNameWithoutExtension(manifestFile));
        var vision = s_visionFolders.Select(folder => manifest.Vision is "." ? $"{folder}/" : $"{manifest.Vision.TrimEnd('/')}/{folder}/")
            .ToList();
        foreach (var file in manifest.Files.Where(file => !vision.Exists(folder => file.Path.StartsWith(folder, StringComparison.Ordinal))))
            await BringAsync(container, file, cancel);
    }

    private async Task BringAsync(BlobContainerClient container, BaseFile file, CancellationToken cancel)
    {
        var target = Path.Combine(_folder, file.Path);
        if (File.Exists(target))
            return; // it got this name only after it was verified
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var blob = container.GetBlobClient(file.Path);
        long before, bytes;
        await using (var part = new FileStream(target + Part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            try
            {
                bytes = (await blob.GetPropertiesAsync(cancellationToken: cancel)).Value.ContentLength;
                before = part.Length <= bytes ? part.Length : 0; // longer than the file: it was part of another
                part.SetLength(before);
                part.Position = before;
                if (before < bytes)
                {
                    using var rest = (await blob.DownloadStreamingAsync(
                        new BlobDownloadOptions { Range = new HttpRange(before) }, cancel)).Value;
                    await rest.Content.CopyToAsync(part, cancel);
                }
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                throw new InvalidOperationException(
                    $"Base models cannot be brought: '{file.Path}', which a manifest names, is not in container "
                    + $"'{container.Name}'. Upload it there.", e);
            }
            part.Flush(flushToDisk: true);
            part.Position = 0;
            // Files of a few kB whose hash no list gives have none in the manifest; the blob's own length is all that can be asked then.
            if (file.Sha256 is { } expected && Convert.ToHexStringLower(await SHA256.HashDataAsync(part, cancel)) is var found
                && found != expected)
            {
                part.SetLength(0);
                throw new InvalidOperationException(
                    $"'{file.Path}' in container '{container.Name}' is not the file that its manifest names: "
                    + $"SHA-256 expected {expected}, found {found}. Upload it again; it was not kept.");
            }
        }
        File.Move(target + Part, target);
        log.ModelBrought(file.Path, container.Name, bytes / Mebibyte, before / Mebibyte);
    }
}
