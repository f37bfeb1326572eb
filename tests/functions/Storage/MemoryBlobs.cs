using System.Globalization;
using System.Net;
using System.Security;
using System.Text;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

namespace Sdxl.Tests;

/// <summary>A blob service in memory: what the product's records and jobs ask of one, with conditions by ETag.</summary>
public sealed class MemoryBlobs : HttpMessageHandler
{
    private readonly SortedDictionary<string, (byte[] Bytes, string ETag, DateTimeOffset Modified)> _blobs = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private int _tags;

    /// <summary>Called around each request, with true before and false after it is carried out; may throw.</summary>
    public Action<bool> Around { get; set; } = _ => { };

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Every blob's container/name, in order.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock)
                return [.. _blobs.Keys];
        }
    }

    public string Text(string name)
    {
        lock (_lock)
            return Encoding.UTF8.GetString(_blobs[name].Bytes);
    }

    /// <summary>All there is, for <see cref="Restore"/>.</summary>
    public object Copy()
    {
        lock (_lock)
            return _blobs.ToList();
    }

    public void Restore(object copy)
    {
        lock (_lock)
        {
            _blobs.Clear();
            foreach (var (name, blob) in (List<KeyValuePair<string, (byte[], string, DateTimeOffset)>>)copy)
                _blobs[name] = blob;
        }
    }

    public void Clear()
    {
        lock (_lock)
            _blobs.Clear();
    }

    public BlobServiceClient Client()
    {
        var options = new BlobClientOptions { Transport = new HttpClientTransport(new HttpClient(this, disposeHandler: false)) };
        options.Retry.MaxRetries = 0;
        return new BlobServiceClient(new Uri("https://memory.example/"), options);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        Around(true);
        HttpResponseMessage answer;
        lock (_lock)
            answer = Answer(request, body);
        Around(false);
        return answer;
    }

    private HttpResponseMessage Answer(HttpRequestMessage request, byte[] body)
    {
        var query = System.Web.HttpUtility.ParseQueryString(request.RequestUri!.Query);
        var name = Uri.UnescapeDataString(request.RequestUri.AbsolutePath).TrimStart('/');
        if (query["restype"] == "container")
            return query["comp"] == "list"
                ? List(name, query["prefix"] ?? "", query["delimiter"])
                : new HttpResponseMessage(HttpStatusCode.Created);
        var there = _blobs.TryGetValue(name, out var blob);
        if (request.Headers.IfMatch.FirstOrDefault() is { } wanted && (!there || wanted.Tag != blob.ETag))
            return Error(
                there || request.Method == HttpMethod.Put ? HttpStatusCode.PreconditionFailed : HttpStatusCode.NotFound,
                "ConditionNotMet"
            );
        if (request.Headers.IfNoneMatch.Any() && there)
            return Error(HttpStatusCode.Conflict, "BlobAlreadyExists");
        if (request.Method == HttpMethod.Put)
        {
            blob = _blobs[name] = (body, string.Create(CultureInfo.InvariantCulture, $"\"0x{++_tags:X}\""), Time.GetUtcNow());
            return With(new HttpResponseMessage(HttpStatusCode.Created), blob);
        }
        if (!there)
            return Error(HttpStatusCode.NotFound, "BlobNotFound");
        if (request.Method == HttpMethod.Delete)
        {
            _blobs.Remove(name);
            return new HttpResponseMessage(HttpStatusCode.Accepted);
        }
        return With(
            new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new ByteArrayContent(request.Method == HttpMethod.Head ? [] : blob.Bytes),
            },
            blob
        );
    }

    private HttpResponseMessage List(string container, string prefix, string? delimiter)
    {
        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>");
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, blob) in _blobs.Where(pair => pair.Key.StartsWith($"{container}/{prefix}", StringComparison.Ordinal)))
        {
            var rest = name[(container.Length + 1 + prefix.Length)..];
            if (delimiter is { Length: > 0 } && rest.IndexOf(delimiter, StringComparison.Ordinal) is >= 0 and var end)
            {
                var folder = prefix + rest[..(end + delimiter.Length)];
                if (folders.Add(folder))
                    xml.Append(CultureInfo.InvariantCulture, $"<BlobPrefix><Name>{SecurityElement.Escape(folder)}</Name></BlobPrefix>");
                continue;
            }
            xml.Append(
                    CultureInfo.InvariantCulture,
                    $"<Blob><Name>{SecurityElement.Escape(name[(container.Length + 1)..])}</Name><Properties>"
                )
                .Append(
                    CultureInfo.InvariantCulture,
                    $"<Last-Modified>{blob.Modified:R}</Last-Modified><Etag>{SecurityElement.Escape(blob.ETag)}</Etag>"
                )
                .Append(
                    CultureInfo.InvariantCulture,
                    $"<Content-Length>{blob.Bytes.Length}</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"
                );
        }
        return new HttpResponseMessage(HttpStatusCode.OK)
        {
            Content = new StringContent(
                xml.Append("</Blobs><NextMarker /></EnumerationResults>").ToString(),
                Encoding.UTF8,
                "application/xml"
            ),
        };
    }

    private static HttpResponseMessage With(HttpResponseMessage answer, (byte[] Bytes, string ETag, DateTimeOffset Modified) blob)
    {
        answer.Headers.TryAddWithoutValidation("ETag", blob.ETag);
        answer.Content ??= new ByteArrayContent([]);
        answer.Content.Headers.LastModified = blob.Modified;
        answer.Headers.TryAddWithoutValidation("x-ms-blob-type", "BlockBlob");
        return answer;
    }

    private static HttpResponseMessage Error(HttpStatusCode status, string code)
    {
        var answer = new HttpResponseMessage(status) { Content = new ByteArrayContent([]) };
        answer.Headers.Add("x-ms-error-code", code);
        return answer;
    }
}
