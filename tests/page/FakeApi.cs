using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sdxl.Functions.Page;

namespace Sdxl.Tests.Page;

/// <summary>
/// The page as it lies in functions/Page/site (so that a change of it is tested without a build; a test compares it with what is embedded),
/// served by the product's own code, and a small API behind it whose answers a test sets: for states that a real host passes through too
/// fast, or hardly ever. What the real API answers is tested by the whole-way test.
/// </summary>
public sealed class FakeApi : IAsyncDisposable
{
    private static readonly PageFiles s_files = new(OnDisk());

    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> routes = new();
    private readonly WebApplication app;

    private FakeApi(WebApplication app) => this.app = app;

    public Uri Address => new(app.Urls.First());

    /// <summary>Every request to the API: method, path with query, body.</summary>
    public ConcurrentQueue<(string Method, string Path, string Body)> Requests { get; } = new();

    public static PageFiles Files => s_files;

    /// <param name="port">0: any. Another one's that was stopped: the host is back.</param>
    public static async Task<FakeApi> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Logging.ClearProviders();
        builder.Services.AddMvcCore();
        var app = builder.Build();
        var fake = new FakeApi(app);
        var pages = new Pages(new PageAnswers(s_files));
        app.MapGet(
            "/page/{hash}/{**file}",
            (HttpContext http, string hash, string file) => RunAsync(http, pages.File(http.Request, hash, file))
        );
        app.MapGet("/", http => RunAsync(http, new PageAnswers(s_files).Page(http.Request, SitePage.Start)));
        app.MapGet("/trainings", http => RunAsync(http, pages.Trainings(http.Request)));
        app.MapGet("/trainings/{id}", http => RunAsync(http, pages.Training(http.Request, "")));
        app.MapGet("/models", http => RunAsync(http, pages.Models(http.Request)));
        app.MapGet("/models/{owner}/{name}", http => RunAsync(http, pages.Model(http.Request, "", "")));
        app.MapGet("/play", http => RunAsync(http, pages.Play(http.Request)));
        app.MapGet("/play/{id}", http => RunAsync(http, pages.Drawing(http.Request, "")));
        app.MapGet("/account", http => RunAsync(http, pages.Account(http.Request)));
        app.MapGet("/sign-in", http => RunAsync(http, pages.SignIn(http.Request)));
        app.MapGet("/picture/{name}", PictureAsync);
        app.Map("/v1/{**path}", fake.AnswerAsync);
        fake.Reset();
        await app.StartAsync();
        return fake;
    }

    /// <summary>Answers as at the beginning; what was asked is forgotten.</summary>
    public void Reset()
    {
        routes.Clear();
        Requests.Clear();
        Canned.Into(this);
    }

    /// <summary>Sets what a route answers from now on.</summary>
    /// <param name="path">As requested, without the query.</param>
    public void On(string method, string path, Func<HttpContext, Task> answer) => routes[$"{method} {path}"] = answer;

    public void On(string method, string path, JsonNode body, int status = 200) => On(method, path, http => JsonAsync(http, body, status));

    public void Fails(string method, string path, int status, string detail, JsonArray? invalidFields = null) =>
        On(
            method,
            path,
            new JsonObject
            {
                ["title"] = "Refused",
                ["status"] = status,
                ["detail"] = detail,
                ["invalid_fields"] = invalidFields ?? [],
            },
            status
        );

    /// <summary>The route is not there, as in a service that lacks it.</summary>
    public void Lacks(string method, string path) => routes.TryRemove($"{method} {path}", out _);

    public static async Task JsonAsync(HttpContext http, JsonNode body, int status = 200)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = status >= 400 ? "application/problem+json" : "application/json";
        await http.Response.WriteAsync(body.ToJsonString());
    }

    /// <summary>Bodies sent to a route, in order.</summary>
    public IReadOnlyList<JsonNode> Sent(string method, string path) =>
        [
            .. Requests
                .Where(r => r.Method == method && r.Path.Split('?')[0] == path && r.Body.StartsWith('{'))
                .Select(r => JsonNode.Parse(r.Body)!),
        ];

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)); // streams that a page holds open
        try
        {
            await app.StopAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // cut off, as meant
        }
        await app.DisposeAsync();
    }

    private static Dictionary<string, byte[]> OnDisk()
    {
        var site = Path.Combine(TestPaths.Root, "functions", "Page", "site");
        var files = Directory.GetFiles(site, "*", SearchOption.AllDirectories)
            .ToDictionary(path => Path.GetRelativePath(site, path).Replace(Path.DirectorySeparatorChar, '/'), File.ReadAllBytes);
        files["examples/gizmo.zip"] = File.ReadAllBytes(Path.Combine(TestPaths.Root, "examples", "gizmo.zip"));
        return files;
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var body = http.Request.HasFormContentType ? "(form)" : await new StreamReader(http.Request.Body).ReadToEndAsync();
        if (body == "(form)")
            await http.Request.Body.CopyToAsync(Stream.Null);
        Requests.Enqueue((http.Request.Method, http.Request.Path + http.Request.QueryString.Value, body));
        http.Items["body"] = body;
        if (routes.TryGetValue($"{http.Request.Method} {http.Request.Path}", out var answer))
            await answer(http);
        else
            await JsonAsync(
                http,
                new JsonObject
                {
                    ["title"] = "Not found",
                    ["status"] = 404,
                    ["detail"] = $"There is no {http.Request.Path}.",
                },
                404
            );
    }

    private static async Task RunAsync(HttpContext http, IActionResult result) =>
        await result.ExecuteResultAsync(new ActionContext(http, new RouteData(), new ActionDescriptor()));

    /// <summary>A picture of any name: a square whose colour its name gives.</summary>
    public static Task PictureAsync(HttpContext http)
    {
        var hue = http.Request.Path.Value!.Sum(letter => letter * 7) % 360;
        if (http.Request.Path.Value!.Contains("mask", StringComparison.Ordinal))
            hue = 0;
        http.Response.ContentType = "image/svg+xml";
        return http.Response.WriteAsync($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="320" height="320"><rect width="64" height="64" fill="hsl({hue} 45% 40%)"/>
            <circle cx="32" cy="30" r="17" fill="hsl({(hue + 40)
                % 360} 70% 70%)"/><circle cx="26" cy="27" r="3"/><circle cx="38" cy="27" r="3"/><path d="M24 37q8 7 16 0" stroke="#000" stroke-width="2" fill="none"/></svg>
            """
        );
    }
}
