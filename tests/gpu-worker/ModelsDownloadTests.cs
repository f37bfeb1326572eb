using System.Security.Cryptography;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Storage;
using Sdxl.Local.Azurite;

namespace Sdxl.Tests.GpuWorker;

public sealed class ModelsDownloadTests : IAsyncLifetime
{
    private const string Container = "base-models";

    private static readonly byte[] s_weights = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7 / 3))];

    private static readonly string s_hash = Convert.ToHexStringLower(SHA256.HashData(s_weights));

    private readonly TempFolder folder = new();
    private AzuriteServer azurite = null!;
    private BlobContainerClient container = null!;

    private string Models => folder.File("models");

    private string Weights => Path.Combine(Models, "tiny", "unet", "weights.safetensors");

    public async Task InitializeAsync()
    {
        azurite = await AzuriteServer.StartAsync(
            Path.Combine(TestPaths.Root, "tools/npm/node_modules/azurite/dist/src/blob/main.js"), folder.File("azurite"),
                NullLogger.Instance, CancellationToken.None);
        await azurite.WaitUntilReadyAsync(CancellationToken.None);
        container = azurite.CreateClient().GetBlobContainerClient(Container);
        await container.CreateIfNotExistsAsync();
        await PutAsync("tiny.json", System.Text.Encoding.UTF8.GetBytes($$"""
            { "name": "tiny", "description": "for a test", "model": "tiny", "refiner": null, "vision": "tiny",
              "training_defaults": {}, "prediction_defaults": {},
              "sources": [ { "repository": "a/b", "revision": "{{new string('0', 40)}}", "licence": "MIT",
                "licence_url": "https://example.org", "into": "tiny",
                "files": [
                  { "file": "unet/weights.safetensors", "bytes": {{s_weights.Length}}, "sha256": "{{s_hash}}" },
                  { "file": "blip/vision_model.onnx", "bytes": 1, "sha256": null } ] } ] }
            """));
    }

    public async Task DisposeAsync()
    {
        await azurite.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Nets_are_brought_and_what_only_the_functions_use_is_not()
    {
        await PutAsync("tiny/unet/weights.safetensors", s_weights);

        await BringAsync();

        Assert.Equal(s_weights, await File.ReadAllBytesAsync(Weights));
        Assert.Equal(["tiny.json", "tiny/unet/weights.safetensors"],
            Directory.EnumerateFiles(Models, "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Models, f).Replace('\\', '/')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_download_that_was_cut_goes_on_where_it_stopped()
    {
        // The half that is there is right, the blob's own is not: whoever read it again would end with another file.
        const int Half = 150_000;
        await PutAsync("tiny/unet/weights.safetensors", [.. new byte[Half], .. s_weights[Half..]]);
        Directory.CreateDirectory(Path.GetDirectoryName(Weights)!);
        await File.WriteAllBytesAsync(Weights + ".part", s_weights[..Half]);

        await BringAsync();

        Assert.Equal(s_weights, await File.ReadAllBytesAsync(Weights));
        Assert.False(File.Exists(Weights + ".part"));
    }

    [Fact]
    public async Task A_file_that_is_another_one_is_refused_and_not_kept()
    {
        await PutAsync("tiny/unet/weights.safetensors", new byte[s_weights.Length]);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(BringAsync);

        Assert.StartsWith(
            "'tiny/unet/weights.safetensors' in container 'base-models' is not the file that its manifest names: SHA-256 expected "
                + $"{s_hash}, ",
            refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Weights));
        await PutAsync("tiny/unet/weights.safetensors", s_weights);
        await BringAsync();
        Assert.Equal(s_weights, await File.ReadAllBytesAsync(Weights));
    }

    [Fact]
    public async Task A_file_that_is_missing_is_named()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(BringAsync);

        Assert.Equal(
            "Base models cannot be brought: 'tiny/unet/weights.safetensors', which a manifest names, is not in container 'base-models'. "
            + "Upload it there.", refused.Message);
    }

    private Task BringAsync() => new ModelsDownload(
        azurite.CreateClient(), Options.Create(new WorkerOptions { ModelsFolder = Models, ModelsContainer = Container }),
            NullLogger<ModelsDownload>.Instance).StartAsync(CancellationToken.None);

    private async Task PutAsync(string name, byte[] content) => await container.GetBlobClient(name)
        .UploadAsync(new BinaryData(content), overwrite: true);
}
