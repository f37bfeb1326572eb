using System.Net;
using System.Security.Cryptography;
using System.Text;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Headers;
using Microsoft.AspNetCore.Mvc;

namespace Sdxl.Functions.Page;

/// <summary>Pages and their files as HTTP answers: content policy, caching, compression.</summary>
/// <param name="storage">Its host may serve pictures and downloads by signed address, so the policy allows it; null: nothing but this app
/// does.</param>
public sealed class PageAnswers(PageFiles files, BlobServiceClient? storage = null)
{
    /// <summary>
    /// Scripts and styles from here alone, no inline ones, no eval; strings become HTML only through lit-html's own policy.
    /// </summary>
    private readonly string policy =
        $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{StorageHost(storage)}; "
        + $"connect-src 'self'{StorageHost(storage)}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types lit-html";

    /// <summary>Whether the caller would rather have a page than JSON: browsers name text/html, programs do not.</summary>
    public static bool WantsHtml(HttpRequest request)
    {
        var accepted = new RequestHeaders(request.Headers).Accept;
        double QualityOf(string type) =>
            accepted
                .Where(a => a.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase))
                .Select(a => a.Quality ?? 1)
                .DefaultIfEmpty(0)
                .Max();
        return QualityOf("text/html") is > 0 and var html && html >= QualityOf("application/json");
    }

    /// <summary>
    /// A page: the frame with the page's skeleton in it. Asked for again each time, answered with 304 while nothing changed.
    /// </summary>
    public IActionResult Page(HttpRequest request, SitePage page)
    {
        var html = Encoding.UTF8.GetBytes(
            files
                .Html("shell.html")
                .Replace("{title}", WebUtility.HtmlEncode(page.Title), StringComparison.Ordinal)
                .Replace("{page}", page.Name, StringComparison.Ordinal)
                .Replace(
                    "{head}",
                    string.Concat(
                        page.Modules.Select(module => $"""<link rel="modulepreload" href="/page/{files.Hash}/{module}">""" + "\n")
                    )
                        + string.Concat(
                            page.Scripts.Select(script => $"""<script defer src="/page/{files.Hash}/{script}"></script>""" + "\n")
                        ),
                    StringComparison.Ordinal
                )
                .Replace("{skeleton}", files.Html($"{page.Name}.html"), StringComparison.Ordinal)
        );
        var headers = request.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers.CacheControl = "no-cache";
        headers.Vary = "Accept, Accept-Encoding";
        headers.ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(html))[..16]}\"";
        return request.Headers.IfNoneMatch.Contains(headers.ETag.ToString())
            ? new StatusCodeResult(StatusCodes.Status304NotModified)
            : Encoded(request, new PageFile("text/html; charset=utf-8", html));
    }

    /// <summary>A file under its hash: kept for ever. Another hash is another deployment's, whose files are not here.</summary>
    public IActionResult File(HttpRequest request, string hash, string name)
    {
        if (hash != files.Hash || files.Find(name) is not { } file)
            return new NotFoundResult();
        var headers = request.HttpContext.Response.Headers;
        headers.CacheControl = "public, max-age=31536000, immutable";
        headers.XContentTypeOptions = "nosniff";
        headers.Vary = "Accept-Encoding";
        return Encoded(request, file);
    }

    private static FileContentResult Encoded(HttpRequest request, PageFile file)
    {
        var (bytes, encoding) = file.For(request.Headers.AcceptEncoding.ToString());
        if (encoding is not null)
            request.HttpContext.Response.Headers.ContentEncoding = encoding;
        return new FileContentResult(bytes, file.ContentType);
    }

    private static string StorageHost(BlobServiceClient? storage) =>
        storage is null ? "" : " " + storage.Uri.GetLeftPart(UriPartial.Authority);
}
