using System.Diagnostics;
using System.Globalization;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Extensions.Logging.Abstractions;
using Sdxl.Local.Azurite;

namespace Sdxl.Tests.Azurite;

/// <summary>What storage has promised survives its kill -9 (signal 9 of the process, not of the machine).</summary>
public sealed class AzuriteServerTests : IAsyncLifetime
{
    private const string Large = "large"; // a metadata key that makes a row so large that few of them make the tables be saved

    private readonly TempFolder _folder = new();
    private AzuriteServer _server = null!;
    private BlobContainerClient _blobs = null!;

    public async Task InitializeAsync()
    {
        await StartAsync();
        _blobs = _server.CreateClient().GetBlobContainerClient("blobs");
        await _blobs.CreateAsync();
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task All_that_was_written_changed_and_removed_until_the_kill_is_so_afterwards_time_after_time()
    {
        var log = _blobs.GetAppendBlobClient("log.txt");
        await log.CreateAsync();
        var expected = "";
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 8; i++)
                await _blobs.UploadBlobAsync($"{round}/{i}.txt", BinaryData.FromString($"{round} {i}"));
            await _blobs.GetBlobClient($"{round}/1.txt").UploadAsync(BinaryData.FromString("changed"), overwrite: true);
            await _blobs.DeleteBlobAsync($"{round}/2.txt");
            await _blobs.GetBlobClient($"{round}/3.txt").SetMetadataAsync(new Dictionary<string, string> { ["round"] = $"{round}" });
            await log.AppendBlockAsync(BinaryData.FromString($"round {round}\n").ToStream());
            expected += $"round {round}\n";

            await KillAsync();

            for (var past = 0; past <= round; past++)
            {
                Assert.Equal([.. new[] { 0, 1, 3, 4, 5, 6, 7 }.Select(i => $"{past}/{i}.txt")], await NamesAsync($"{past}/"));
                Assert.Equal($"{past} 0", await TextAsync($"{past}/0.txt"));
                Assert.Equal("changed", await TextAsync($"{past}/1.txt"));
                var properties = (await _blobs.GetBlobClient($"{past}/3.txt").GetPropertiesAsync()).Value;
                Assert.Equal(past.ToString(CultureInfo.InvariantCulture), properties.Metadata["round"]);
            }
            Assert.Equal(expected, await TextAsync("log.txt"));
        }
    }

    [Fact]
    public async Task The_journal_does_not_outgrow_the_tables_and_nothing_is_lost_where_they_are_saved()
    {
        const int Blobs = 400; // of 6 kB of table each: more than twice what a journal may have
        var large = new Dictionary<string, string> { [Large] = new('x', 6000) };
        for (var i = 0; i < Blobs; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{i:D3}");
            await _blobs.GetBlobClient(name).UploadAsync(BinaryData.FromString(name), new BlobUploadOptions { Metadata = large });
        }
        var journal = Directory.GetFiles(_folder.Path, "*.journal.*").Sum(file => new FileInfo(file).Length);
        Assert.InRange(journal, 1, Blobs * 6000 * 9 / 10);

        await KillAsync();

        var names = await NamesAsync("");
        Assert.Equal(Blobs, names.Count);
        foreach (var name in names)
            Assert.Equal(name, await TextAsync(name));
    }

    [Fact]
    public async Task A_line_that_the_kill_tore_is_left_out()
    {
        await _blobs.UploadBlobAsync("whole", BinaryData.FromString("whole"));
        using (var process = Process.GetProcessById(_server.ProcessId!.Value))
        {
            process.Kill();
            await process.WaitForExitAsync();
            foreach (var segment in Directory.GetFiles(_folder.Path, "__azurite_db_blob__.json.journal.*"))
                await File.AppendAllTextAsync(segment, """{"table":"$BLOBS_COLLECTION$","row":{"acc""");
        }
        await _server.WaitUntilReadyAsync(CancellationToken.None);
        Assert.Equal("whole", await TextAsync("whole"));
    }

    [Fact]
    public async Task One_that_is_stopped_in_order_leaves_no_journal_to_read()
    {
        await _blobs.UploadBlobAsync("kept", BinaryData.FromString("kept"));
        await _server.DisposeAsync();
        Assert.All(Directory.GetFiles(_folder.Path, "*.journal.*"), file => Assert.Equal(0, new FileInfo(file).Length));

        await StartAsync();
        _blobs = _server.CreateClient().GetBlobContainerClient("blobs");
        Assert.Equal("kept", await TextAsync("kept"));
    }

    private async Task StartAsync()
    {
        _server = await AzuriteServer.StartAsync(
            Path.Combine(TestPaths.Root, "tools/npm/node_modules/azurite/dist/src/blob/main.js"), _folder.Path, NullLogger.Instance,
            CancellationToken.None);
        await _server.WaitUntilReadyAsync(CancellationToken.None);
    }

    /// <summary>Kills it at once and waits for the one after it.</summary>
    private async Task KillAsync()
    {
        using var process = Process.GetProcessById(_server.ProcessId!.Value);
        process.Kill();
        await process.WaitForExitAsync();
        await _server.WaitUntilReadyAsync(CancellationToken.None);
    }

    private async Task<List<string>> NamesAsync(string prefix)
    {
        var names = new List<string>();
        await foreach (var blob in _blobs.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, CancellationToken.None))
            names.Add(blob.Name);
        return names;
    }

    private async Task<string> TextAsync(string name) => (await _blobs.GetBlobClient(name).DownloadContentAsync()).Value.Content.ToString();
}
