using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Sdxl.Core.Storage;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Files;

/// <summary>Serves a blob as HTTP serves files: HEAD, Range, ETag and If-None-Match; the type by its name.</summary>
public sealed class BlobAnswers(BlobStore blobs)
{
    /// <param name="what">For the 404: "Version 'me/cat:…' has no file 'x'."</param>
    /// <param name="type">null: by the name.</param>
    /// <param name="download">Name under which it is saved; null: the blob's own, and a picture is shown.</param>
    public async Task<IActionResult> ServeAsync(
        HttpRequest request,
        string container,
        string name,
        string what,
        CancellationToken cancel,
        string? type = null,
        string? download = null
    )
    {
        var file = name[(name.LastIndexOf('/') + 1)..];
        if (name.Split('/').Any(part => part is "." or ".."))
            return Answers.NotFound(what); // an address with dots leads elsewhere than it says
        var blob = await blobs.BlobAsync(container, name);
        try
        {
            var properties = (await blob.GetPropertiesAsync(cancellationToken: cancel)).Value;
            var content = await OpenAsync(request, blob, properties, cancel);
            // The one page that is the product's own, and not even its text can run or load anything.
            if (file == StorageLayout.ReportPage && type is null)
                return Answers.Page(request, content);
            request.HttpContext.Response.Headers.XContentTypeOptions = "nosniff";
            return new FileStreamResult(content, type ?? ContentTypes.Of(file))
            {
                FileDownloadName = download ?? (ContentTypes.IsPicture(file) ? "" : file),
                EnableRangeProcessing = true,
                EntityTag = new EntityTagHeaderValue(properties.ETag.ToString("H")),
                LastModified = properties.LastModified,
            };
        }
        catch (RequestFailedException e) when (e.Status is 404 or 400)
        {
            return Answers.NotFound(what);
        }
    }

    /// <summary>Of a HEAD only the length is asked.</summary>
    private static async Task<Stream> OpenAsync(
        HttpRequest request,
        BlobClient blob,
        BlobProperties properties,
        CancellationToken cancel
    ) =>
        HttpMethods.IsHead(request.Method)
            ? new EmptyOf(properties.ContentLength)
            : await blob.OpenReadAsync(
                new BlobOpenReadOptions(allowModifications: false) { Conditions = new BlobRequestConditions { IfMatch = properties.ETag } },
                cancel
            );

    private sealed class EmptyOf(long length) : MemoryStream
    {
        public override long Length => length;
    }
}
