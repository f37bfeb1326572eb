using System.Net;
using System.Net.Sockets;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sdxl.GpuWorker.Hosting;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.Tests.GpuWorker;

public sealed class PredictionFilesTests
{
    [Theory]
    [InlineData(400)] // a name that storage does not even take
    [InlineData(404)]
    public async Task A_picture_that_storage_does_not_have_is_one_short_sentence(int status)
    {
        using var storage = new HttpListener();
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            storage.Prefixes.Add($"http://{probe.LocalEndpoint}/");
        }
        storage.Start();
        var answered = Task.Run(async () =>
        {
            var context = await storage.GetContextAsync();
            context.Response.StatusCode = status;
            context.Response.Close();
        });
        using var folder = new TempFolder();
        using var scratch = new WorkerScratch(
            Options.Create(new WorkerOptions { ScratchFolder = folder.Path }),
            NullLogger<WorkerScratch>.Instance
        );
        var client = new BlobServiceClient(new Uri(storage.Prefixes.Single() + "account"));
        var blobs = new JobBlobs(client);
        var files = new PredictionFiles(blobs, new VersionFiles(blobs, scratch), scratch);

        var missing = await Assert.ThrowsAsync<InvalidDataException>(() =>
            files.PictureAsync("jobs/" + new string('a', 1100), "image", CancellationToken.None)
        );
        await answered;
        Assert.Equal(
            $"Input 'image': there is no blob 'jobs/{new string('a', 94)}…' in this service's storage (any more).",
            missing.Message
        );
    }
}
