using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Core.Storage;
using Sdxl.Local.Azurite;

namespace Sdxl.Tests.GpuWorker;

/// <summary>A real Azurite for the tests of what the worker keeps in storage.</summary>
public sealed class StorageFixture : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private AzuriteServer _azurite = null!;

    public BlobServiceClient Service { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _azurite = await AzuriteServer.StartAsync(
            Path.Combine(TestPaths.Root, "tools/npm/node_modules/azurite/dist/src/blob/main.js"),
            _folder.File("azurite"),
            NullLogger.Instance,
            CancellationToken.None
        );
        await _azurite.WaitUntilReadyAsync(CancellationToken.None);
        Service = _azurite.CreateClient();
        foreach (var container in StorageLayout.Containers)
            await Service.GetBlobContainerClient(container).CreateIfNotExistsAsync();
    }

    public async Task DisposeAsync()
    {
        await _azurite.DisposeAsync();
        _folder.Dispose();
    }

    public async Task<string> TextAsync(string container, string name) =>
        (await Service.GetBlobContainerClient(container).GetBlobClient(name).DownloadContentAsync()).Value.Content.ToString();

    public Task WriteAsync(string container, string name, string text = "") =>
        Service.GetBlobContainerClient(container).GetBlobClient(name).UploadAsync(new BinaryData(text), overwrite: true);

    public async Task<List<string>> NamesAsync(string container, string prefix)
    {
        var names = new List<string>();
        await foreach (var blob in Service.GetBlobContainerClient(container).GetBlobsAsync(
            Azure.Storage.Blobs.Models.BlobTraits.None, Azure.Storage.Blobs.Models.BlobStates.None, prefix, CancellationToken.None))
            names.Add(blob.Name);
        return names;
    }
}

[CollectionDefinition(Name)]
public sealed class StorageCollection : ICollectionFixture<StorageFixture>
{
    public const string Name = "storage";
}
