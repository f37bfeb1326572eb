using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Sdxl.Tests.Functions;

/// <summary>Files as Replicate's clients send, list and remove them.</summary>
[Collection(ProductCollection.Name)]
public sealed class FileTests(ProductFixture product)
{
    private static readonly byte[] s_bytes = Encoding.UTF8.GetBytes("not really a zip");

    [Fact]
    public async Task A_file_as_the_JavaScript_client_sends_it_is_kept_with_name_type_sums_and_metadata_all_texts()
    {
        using var answer = await SendAsync("data set.zip", "application/zip", """{"a": "b", "n": 3}""", asFile: true);
        var file = await JsonAsync(answer);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(
            ("data set.zip", "application/zip", s_bytes.Length),
            (file["name"]!.ToString(), file["content_type"]!.ToString(), file["size"]!.GetValue<int>())
        );
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(s_bytes)), file["checksums"]!["sha256"]!.GetValue<string>());
        Assert.Equal(Convert.ToHexStringLower(MD5.HashData(s_bytes)), file["checksums"]!["md5"]!.GetValue<string>());
        Assert.Equal("""{"a":"b","n":"3"}""", file["metadata"]!.ToJsonString());
        Assert.Equal($"{product.Http.BaseAddress}v1/files/{file["id"]}", file["urls"]!["get"]!.ToString());
        Assert.Equal(file["urls"]!["get"]!.ToString(), answer.Headers.Location!.ToString());
        Assert.True(JsonNode.DeepEquals(file, await JsonAsync(await product.Http.GetAsync($"v1/files/{file["id"]}"))));
        Assert.Contains(
            (await JsonAsync(await product.Http.GetAsync("v1/files")))["results"]!.AsArray(),
            f => f!["id"]!.ToString() == file["id"]!.ToString()
        );
    }

    [Fact]
    public async Task Metadata_may_be_a_text_or_nothing_and_must_be_an_object()
    {
        Assert.Equal("{}", (await JsonAsync(await SendAsync("a.zip", null, null)))["metadata"]!.ToJsonString());
        Assert.Equal("""{"x":"y"}""", (await JsonAsync(await SendAsync("a.zip", null, """{"x":"y"}""")))["metadata"]!.ToJsonString());
        Assert.Equal(422, (int)(await SendAsync("a.zip", null, "[1]")).StatusCode);
        // No Unicode, and a name twice: refused like any other text that is no object, not an error of the service.
        Assert.Equal(422, (int)(await SendAsync("a.zip", null, """{"x":"\ud83d"}""")).StatusCode);
        Assert.Equal(422, (int)(await SendAsync("a.zip", null, """{"x":"1","x":"2"}""")).StatusCode);
    }

    [Fact]
    public async Task Its_bytes_come_whole_or_in_parts_and_after_its_removal_nothing_is_left_of_it()
    {
        var id = (await JsonAsync(await SendAsync("a.zip", null, null)))["id"]!.ToString();
        Assert.Equal(s_bytes, await product.Http.GetByteArrayAsync($"v1/files/{id}/download"));
        using var part = new HttpRequestMessage(HttpMethod.Get, $"v1/files/{id}/download")
        {
            Headers = { Range = new RangeHeaderValue(4, 9) },
        };
        using var partly = await product.Http.SendAsync(part);
        Assert.Equal((HttpStatusCode.PartialContent, "really"), (partly.StatusCode, await partly.Content.ReadAsStringAsync()));
        using var head = await product.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"v1/files/{id}/download"));
        Assert.Equal((HttpStatusCode.OK, s_bytes.Length), (head.StatusCode, head.Content.Headers.ContentLength));
        using var known = new HttpRequestMessage(HttpMethod.Get, $"v1/files/{id}/download")
        {
            Headers = { IfNoneMatch = { head.Headers.ETag! } },
        };
        Assert.Equal(HttpStatusCode.NotModified, (await product.Http.SendAsync(known)).StatusCode);

        Assert.Equal(HttpStatusCode.NoContent, (await product.Http.DeleteAsync($"v1/files/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.GetAsync($"v1/files/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await product.Http.DeleteAsync($"v1/files/{id}")).StatusCode);
        Assert.False(await product.Storage.GetBlobContainerClient("files").GetBlobClient($"me/{id}").ExistsAsync());
    }

    [Fact]
    public async Task A_list_goes_on_at_an_absolute_address_which_the_Go_client_may_put_behind_the_base()
    {
        for (var i = 0; i < 3; i++)
            await SendAsync($"{i}.zip", null, null);
        var first = await JsonAsync(await product.Http.GetAsync("v1/files?limit=2"));
        var next = first["next"]!.ToString();
        Assert.StartsWith($"{product.Http.BaseAddress}v1/files?limit=2&cursor=", next, StringComparison.Ordinal);
        var second = await JsonAsync(await product.Http.GetAsync(next));
        Assert.Empty(Ids(first).Intersect(Ids(second)));
        // Go's client follows such an answer and keeps its token on the same host; .NET's drops it.
        using var unfollowed = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        foreach (
            var embedded in new[]
            {
                next,
                next.Replace("://", ":/", StringComparison.Ordinal),
                next.Replace("127.0.0.1", "elsewhere.example.org", StringComparison.Ordinal),
            }
        )
        {
            using var sent = await unfollowed.GetAsync($"{product.Http.BaseAddress}v1/{embedded}");
            Assert.Equal(HttpStatusCode.TemporaryRedirect, sent.StatusCode);
            Assert.Equal(new Uri(next).PathAndQuery, sent.Headers.Location!.OriginalString);
        }
        var seen = new List<string>(Ids(first));
        for (var page = first; page["next"] is { } link;)
            seen.AddRange(Ids(page = await JsonAsync(await product.Http.GetAsync(link.ToString()))));
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.True(seen.Count >= 3);

        static List<string> Ids(JsonNode page) => [.. page["results"]!.AsArray().Select(file => file!["id"]!.ToString())];
    }

    private async Task<HttpResponseMessage> SendAsync(string name, string? type, string? metadata, bool asFile = false)
    {
        using var form = new MultipartFormDataContent();
        var content = new ByteArrayContent(s_bytes);
        if (type is not null)
            content.Headers.ContentType = new MediaTypeHeaderValue(type);
        form.Add(content, "content", name);
        if (metadata is not null && asFile)
            form.Add(new StringContent(metadata, Encoding.UTF8, "application/json"), "metadata", "blob");
        else if (metadata is not null)
            form.Add(new StringContent(metadata), "metadata");
        return await product.Http.PostAsync("v1/files", form);
    }

    private static async Task<JsonNode> JsonAsync(HttpResponseMessage answer) => JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
}
