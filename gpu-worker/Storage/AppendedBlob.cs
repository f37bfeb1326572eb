using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Sdxl.GpuWorker.Storage;

/// <summary>
/// A blob that one writer appends to, each piece at the position where the one before ended: nothing is doubled when an answer got lost and
/// nothing is shuffled.
/// </summary>
/// <param name="blob">Made at the first use.</param>
public sealed class AppendedBlob(AppendBlobClient blob, string contentType)
{
    private const int MostBytesAtOnce = 4 << 20; // of one append, Azure's limit

    private long? _position;

    /// <summary>Empties it.</summary>
    public async Task RestartAsync(CancellationToken cancel)
    {
        await blob.CreateAsync(new AppendBlobCreateOptions { HttpHeaders = new BlobHttpHeaders { ContentType = contentType } }, cancel);
        _position = 0;
    }

    /// <exception cref="AnotherWriterException">Somebody else appended since this one's last piece.</exception>
    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        _position ??= await OpenAsync(cancel);
        for (; bytes.Length > 0; bytes = bytes[Math.Min(bytes.Length, MostBytesAtOnce)..])
        {
            var piece = bytes[..Math.Min(bytes.Length, MostBytesAtOnce)];
            try
            {
                await blob.AppendBlockAsync(
                    new MemoryStream(piece.ToArray()),
                    new AppendBlobAppendBlockOptions { Conditions = new AppendBlobRequestConditions { IfAppendPositionEqual = _position } },
                    cancel
                );
            }
            catch (RequestFailedException e) when (e.Status == 412)
            {
                // This very piece, whose answer got lost? Else another writer's.
                var found = await EndAsync(_position.Value, cancel);
                if (!found.AsSpan().SequenceEqual(piece.Span))
                {
                    _position = null;
                    throw new AnotherWriterException(
                        $"{blob.Uri.AbsolutePath} has grown by {found.Length} bytes that this worker did not write."
                    );
                }
            }
            _position += piece.Length;
        }
    }

    private async Task<long> OpenAsync(CancellationToken cancel)
    {
        await blob.CreateIfNotExistsAsync(
            new AppendBlobCreateOptions { HttpHeaders = new BlobHttpHeaders { ContentType = contentType } },
            cancel
        );
        return (await blob.GetPropertiesAsync(cancellationToken: cancel)).Value.ContentLength;
    }

    private async Task<byte[]> EndAsync(long from, CancellationToken cancel)
    {
        try
        {
            return (
                await blob.DownloadContentAsync(new BlobDownloadOptions { Range = new HttpRange(from) }, cancel)
            ).Value.Content.ToArray();
        }
        catch (RequestFailedException e) when (e.Status == 416)
        {
            return []; // it ends there, or earlier
        }
    }
}

/// <summary>Another writer appended to a blob that should have only one: it has the turn now, or had it until a moment ago.</summary>
public sealed class AnotherWriterException(string message) : Exception(message);
