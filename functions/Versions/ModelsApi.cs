using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Identity;
using Sdxl.Functions.Accounts;
using Sdxl.Functions.Http;
using Sdxl.Functions.Retention;

namespace Sdxl.Functions.Versions;

/// <summary>Models over HTTP: the caller's own, and the base models under stability-ai/.</summary>
public sealed class ModelsApi(VersionStore versions, BaseModels bases, ModelViews views, Deletion deletion, Paging paging,
    Addresses addresses, TimeProvider time)
{
    private const int MaxBodyBytes = 256 << 10;
    private const int MaxTextLetters = 10_000;

    [Function("CreateModel")]
    [Operation("Makes a model, without a version.", Gives = typeof(ModelView), Status = 201, Body = ApiBodies.Model)]
    public async Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/models")] HttpRequest request, CancellationToken cancel)
    {
        var body = await RequestBodies.JsonAsync(request, MaxBodyBytes, "name",
            "Send {\"owner\": \"me\", \"name\": \"cat\", \"visibility\": \"private\", \"hardware\": \"cpu\"}.", cancel);
        var caller = request.Owner();
        var owner = Text("owner") ?? caller;
        if (owner != caller)
        {
            return Answers.Problem(StatusCodes.Status403Forbidden, "Not permitted",
                $"You are '{caller}' and cannot make a model of '{owner}'.",
                [new IntakeProblem("owner", $"It must be '{caller}'.", 403)]);
        }
        var problems = new List<IntakeProblem>();
        var name = Text("name") ?? "";
        if (ModelName.TryParse(name.Replace('/', ' '), owner, out var why) is null)
            problems.Add(new("name", why!, 422));
        // Old clients send "".
        var visibility = Text("visibility") is { Length: > 0 } said ? said : "private";
        if (visibility is not ("public" or "private"))
            problems.Add(new("visibility", $"'visibility' is '{visibility}'; it must be public or private.", 422));
        var hardware = Text("hardware");
        if (hardware is { Length: > 0 } && Hardware.All.All(known => known.Sku != hardware))
            problems.Add(new("hardware", $"'hardware' is '{hardware}'; GET v1/hardware lists what may be said.", 422));
        foreach (var field in new[] { "description", "github_url", "paper_url", "license_url", "cover_image_url" })
        {
            if (Text(field)?.Length > MaxTextLetters)
                problems.Add(new(field, $"'{field}' has more than {MaxTextLetters} characters.", 422));
        }
        if (problems.Count > 0)
            throw new IntakeException(problems);
        var model = new ModelDocument(owner, name, [])
        {
            Visibility = visibility,
            Hardware = hardware,
            Description = Text("description"),
            GithubUrl = Text("github_url"),
            PaperUrl = Text("paper_url"),
            LicenseUrl = Text("license_url"),
            CoverImageUrl = Text("cover_image_url"),
            CreatedAt = time.GetUtcNow(),
        };
        if (!await versions.CreateAsync(model, cancel))
            return Answers.Problem(StatusCodes.Status409Conflict, "Model exists", $"You have a model '{owner}/{name}' already.");
        request.HttpContext.Response.Headers.Location = addresses.Of(request, $"v1/models/{owner}/{name}");
        return Answers.Json(views.Of(model, request), StatusCodes.Status201Created);

        string? Text(string field) => body[field] is { } node && node.GetValueKind() != JsonValueKind.Null ? node.ToString() : null;
    }

    [Function("ListModels")]
    [Operation("Your models and the base models; QUERY with text as its body looks for some.", Gives = typeof(Page<ModelView>),
        Query = "cursor,limit")]
    public Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/models")] HttpRequest request, CancellationToken cancel) =>
        ListAsync(request, "", cancel);

    /// <summary>The body is what is looked for, as plain text; Replicate's JavaScript puts it into quotes.</summary>
    [Function("SearchModels")]
    public async Task<IActionResult> Search(
        [HttpTrigger(AuthorizationLevel.Anonymous, "query", Route = "v1/models")] HttpRequest request, CancellationToken cancel)
    {
        using var reader = new StreamReader(new LimitedStream(request.Body, MaxBodyBytes,
            () => new IntakeException([new IntakeProblem("query", $"The query has more than {MaxBodyBytes >> 10} KiB.", 413)])));
        return await ListAsync(request, (await reader.ReadToEndAsync(cancel)).Trim().Trim('"'), cancel);
    }

    [Function("GetModel")]
    [Operation("A model with its latest version.", Gives = typeof(ModelView))]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/models/{owner}/{name}")] HttpRequest request,
        string owner, string name, CancellationToken cancel) =>
        bases.Find(owner, name) is { } known ? Answers.Json(views.Of(known, request))
            : await OwnAsync(request, owner, name, cancel) is { } model ? Answers.Json(views.Of(model, request))
            : NoModel(owner, name);

    /// <summary>With all of its versions.</summary>
    [Function("DeleteModel")]
    [Operation("Removes a model with all of its versions.", Status = 204)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/models/{owner}/{name}")] HttpRequest request,
        string owner, string name, CancellationToken cancel)
    {
        if (await OwnAsync(request, owner, name, cancel) is null)
            return NoModel(owner, name);
        await deletion.ModelAsync(owner, name, cancel);
        return new NoContentResult();
    }

    private async Task<IActionResult> ListAsync(HttpRequest request, string words, CancellationToken cancel)
    {
        var wanted = Paging.Of(request);
        var own = await versions.ModelsAsync(request.Owner(), cancel);
        var all = own.Select(model => views.Of(model, request)).Concat(bases.All().Select(model => views.Of(model, request)))
            .Where(model => $"{model.Owner}/{model.Name} {model.Description}".Contains(words, StringComparison.OrdinalIgnoreCase)).ToList();
        var from = wanted.Cursor is null ? 0 : all.FindIndex(model => $"{model.Owner}/{model.Name}" == wanted.Cursor) + 1;
        List<ModelView> piece = [.. all.Skip(from).Take(wanted.Size)];
        return Answers.Json(paging.Page(
            request, piece, from + piece.Count < all.Count && piece.Count > 0 ? $"{piece[^1].Owner}/{piece[^1].Name}" : null));
    }

    private async Task<ModelDocument?> OwnAsync(HttpRequest request, string owner, string name, CancellationToken cancel) =>
        owner == request.Owner() ? await versions.ModelAsync(owner, name, cancel) : null;

    private static ContentResult NoModel(string owner, string name) => Answers.NotFound($"There is no model '{owner}/{name}'.");
}
