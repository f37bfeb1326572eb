using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Sdxl.Functions.Page;

namespace Sdxl.Tests.Page;

/// <summary>The files themselves: what is vendored, what imports what, how they are sent.</summary>
public sealed partial class PageFilesTests
{
    private static readonly PageFiles s_files = FakeApi.Files;

    private sealed record Vendored(
        string File,
        string Package,
        string Version,
        string Path,
        string Licence,
        string LicenceFile,
        string Sha256
    );

    [Fact]
    public void What_is_vendored_is_what_its_list_says_byte_for_byte_with_a_licence_beside()
    {
        var list = JsonSerializer.Deserialize<Vendored[]>(
            s_files.Find("vendor/vendor.json")!.Bytes,
            new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower }
        )!;

        foreach (var entry in list)
        {
            Assert.Equal(
                (entry.File, entry.Sha256),
                (entry.File, Convert.ToHexStringLower(SHA256.HashData(s_files.Find($"vendor/{entry.File}")!.Bytes)))
            );
            Assert.Contains(
                "Copyright",
                Encoding.UTF8.GetString(s_files.Find($"vendor/{entry.LicenceFile}")!.Bytes),
                StringComparison.OrdinalIgnoreCase
            );
        }
        var there = s_files.Names.Where(name =>
            name.StartsWith("vendor/", StringComparison.Ordinal)
            && !name.Contains("licences/", StringComparison.Ordinal)
            && !name.EndsWith(".json", StringComparison.Ordinal)
        );
        Assert.Equal(there.Order(), list.Select(entry => $"vendor/{entry.File}").Order());
    }

    [Fact]
    public void What_is_embedded_is_what_lies_in_the_folder() => Assert.Equal(s_files.Hash, new PageFiles().Hash);

    /// <summary>So that no import is found only when the one before it has come.</summary>
    [Fact]
    public void Each_page_names_all_that_its_module_imports()
    {
        foreach (var page in SitePage.All)
        {
            var imported = new HashSet<string>();
            Follow($"{page.Name}.js", imported);
            Assert.Equal((page.Name, string.Join(' ', imported.Order())), (page.Name, string.Join(' ', page.Modules.Order())));
        }

        static void Follow(string module, HashSet<string> imported)
        {
            foreach (Match match in Imports().Matches(Encoding.UTF8.GetString(s_files.Find(module)!.Bytes)))
            {
                if (imported.Add(match.Groups[1].Value) && !match.Groups[1].Value.StartsWith("vendor/", StringComparison.Ordinal))
                    Follow(match.Groups[1].Value, imported);
            }
        }
    }

    [Fact]
    public async Task A_file_under_its_hash_is_kept_for_ever_and_another_hash_has_none()
    {
        await using var api = await FakeApi.StartAsync();
        using var http = new HttpClient { BaseAddress = api.Address };

        using var file = await http.GetAsync($"page/{s_files.Hash}/app.js");
        using var other = await http.GetAsync("page/0123456789abcdef/app.js");
        using var outside = await http.GetAsync($"page/{s_files.Hash}/..%2fPageFiles.cs");

        Assert.Equal("public, max-age=31536000, immutable", string.Join(", ", file.Headers.NonValidated["cache-control"]));
        Assert.Equal("text/javascript", file.Content.Headers.ContentType!.MediaType);
        Assert.Equal((404, 404), ((int)other.StatusCode, (int)outside.StatusCode));
    }

    [Theory]
    [InlineData("br, gzip", "br")]
    [InlineData("gzip;q=0.5, br;q=0", "gzip")]
    [InlineData("identity", null)]
    public async Task A_file_is_sent_in_the_smallest_form_that_the_caller_reads_and_says_the_same_in_each(string accepts, string? coding)
    {
        await using var api = await FakeApi.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.None })
        {
            BaseAddress = api.Address,
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, $"page/{s_files.Hash}/styles.css");
        request.Headers.TryAddWithoutValidation("accept-encoding", accepts);

        using var answer = await http.SendAsync(request);

        Assert.Equal(coding, answer.Content.Headers.ContentEncoding.SingleOrDefault());
        var body = await answer.Content.ReadAsStreamAsync();
        using Stream plain = coding switch
        {
            "br" => new System.IO.Compression.BrotliStream(body, System.IO.Compression.CompressionMode.Decompress),
            "gzip" => new System.IO.Compression.GZipStream(body, System.IO.Compression.CompressionMode.Decompress),
            _ => body,
        };
        var whole = new MemoryStream();
        await plain.CopyToAsync(whole);
        Assert.Equal(s_files.Find("styles.css")!.Bytes, whole.ToArray());
    }

    [Fact]
    public async Task A_page_has_a_strict_policy_and_is_not_sent_again_while_it_is_the_same()
    {
        await using var api = await FakeApi.StartAsync();
        using var http = new HttpClient { BaseAddress = api.Address };
        using var first = await http.GetAsync("trainings");
        using var request = new HttpRequestMessage(HttpMethod.Get, "trainings") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };

        using var second = await http.SendAsync(request);

        var policy = first.Headers.GetValues("content-security-policy").Single();
        foreach (
            var part in new[]
            {
                "default-src 'none'",
                "script-src 'self';",
                "style-src 'self';",
                "base-uri 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types lit-html",
            }
        )
            Assert.Contains(part, policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal((304, ""), ((int)second.StatusCode, await second.Content.ReadAsStringAsync()));
        Assert.Contains($"/page/{s_files.Hash}/trainings.js", await first.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    [InlineData("*/*", false)]
    [InlineData("", false)]
    [InlineData("application/json", false)]
    [InlineData("application/json, text/html;q=0.5", false)]
    [InlineData("text/html;q=0", false)]
    public void Browsers_get_a_page_and_programs_JSON(string accept, bool html)
    {
        var http = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        http.Request.Headers.Accept = accept;
        Assert.Equal(html, PageAnswers.WantsHtml(http.Request));
    }

    [GeneratedRegex("""^import .* from '\./(.+?)';$""", RegexOptions.Multiline)]
    private static partial Regex Imports();
}
