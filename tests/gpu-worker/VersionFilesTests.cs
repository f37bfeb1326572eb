using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.Core.Versions;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.Tests.GpuWorker;

/// <summary>A version's weights come whole and as they were published, or not at all.</summary>
[Collection(StorageCollection.Name)]
public sealed class VersionFilesTests : IDisposable
{
    private const string Weights = "trained_model.tar";

    private readonly StorageFixture storage;
    private readonly TempFolder folder = new();
    private readonly WorkerScratch scratch;
    private readonly VersionFiles versions;

    public VersionFilesTests(StorageFixture storage)
    {
        this.storage = storage;
        scratch = new WorkerScratch(Options.Create(new WorkerOptions { ScratchFolder = folder.Path }), NullLogger<WorkerScratch>.Instance);
        versions = new VersionFiles(new JobBlobs(storage.Service), scratch);
    }

    public void Dispose()
    {
        scratch.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task They_are_brought_once_and_are_there_when_storage_has_them_no_more()
    {
        var version = await PublishedAsync("me", "weights");
        var file = await versions.WeightsAsync(version.Blob(""), CancellationToken.None);
        Assert.Equal("weights", await File.ReadAllTextAsync(file));
        await storage.Service.GetBlobContainerClient("models").GetBlobClient(version.Blob(Weights)).DeleteAsync();
        Assert.Equal(file, await versions.WeightsAsync(version.Blob(""), CancellationToken.None));
    }

    [Fact]
    public async Task Weights_that_are_not_those_of_the_manifest_are_refused_and_not_kept()
    {
        var version = await PublishedAsync("changed", "weights");
        await storage.WriteAsync("models", version.Blob(Weights), "others");
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => versions.WeightsAsync(version.Blob(""), CancellationToken.None));
        Assert.Contains(
            $"{Weights} has SHA-256 {HashOf("others")}, expected {HashOf("weights")}",
            refused.Message,
            StringComparison.Ordinal
        );
        await storage.WriteAsync("models", version.Blob(Weights), "weights");
        Assert.Equal("weights", await File.ReadAllTextAsync(await versions.WeightsAsync(version.Blob(""), CancellationToken.None)));
    }

    [Fact]
    public async Task A_manifest_that_is_not_the_ids_is_refused()
    {
        var version = await PublishedAsync("forged", "weights");
        await storage.WriteAsync("models", version.Blob(VersionManifest.FileName), "{}");
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => versions.WeightsAsync(version.Blob(""), CancellationToken.None));
        Assert.Contains("is not the version's id", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_that_is_gone_is_one_sentence()
    {
        var gone = new VersionName("gone", "cat", new string('f', 64));
        var refused = await Assert.ThrowsAsync<FileNotFoundException>(() => versions.WeightsAsync(gone.Blob(""), CancellationToken.None));
        Assert.StartsWith(
            $"Version gone/cat/versions/{gone.Id} has no manifest.json (any more).",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    private async Task<VersionName> PublishedAsync(string owner, string weights)
    {
        var manifest = new VersionManifest("toy", owner, [], [new VersionFile(Weights, weights.Length, HashOf(weights))]);
        var version = new VersionName(owner, "cat", VersionManifest.IdOf(manifest.ToBytes()));
        await storage.WriteAsync("models", version.Blob(Weights), weights);
        await storage.Service.GetBlobContainerClient("models").GetBlobClient(version.Blob(VersionManifest.FileName)).UploadAsync(
            new BinaryData(manifest.ToBytes()), overwrite: true);
        return version;
    }

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
