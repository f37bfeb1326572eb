using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Identity;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Events;

/// <param name="Key">whsec_…</param>
public sealed record WebhookSecretView(string Key);

/// <summary>Addresses that are told of the caller's jobs, and the secret with which they can check who tells.</summary>
public sealed class SubscriptionsApi(Subscriptions subscriptions, WebhookSecrets secrets, WebhookPoster poster, Addresses addresses,
    TimeProvider time)
{
    private const int MaxBytes = 1 << 16;

    /// <summary>{"url": …, "types": ["training.*", …]}; without types every event.</summary>
    [Function("CreateSubscription")]
    [Operation("Subscribes an address to your jobs' events.", Gives = typeof(Subscription), Status = 201, Body = ApiBodies.Subscription)]
    public async Task<IActionResult> Create(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/subscriptions")] HttpRequest request, CancellationToken cancel)
    {
        try
        {
            var body = await RequestBodies.JsonAsync(
                request, MaxBytes, "url", "Send {\"url\": \"https://…\", \"types\": [\"training.*\"]}.", cancel);
            if (body["types"] is not (null or JsonArray) || body.Any(pair => pair.Key is not ("url" or "types")))
            {
                throw new IntakeException(
                    [new IntakeProblem("types", "The body has 'url', and 'types' as a list of texts; nothing else.", 422)]);
            }
            var types = (body["types"] as JsonArray ?? []).Select(type => type?.ToString() ?? "").ToList();
            var made = await subscriptions.AddAsync(
                request.Owner(), body["url"] is JsonValue url ? url.ToString() : "", types, cancel);
            return Answers.Json(made, StatusCodes.Status201Created);
        }
        catch (IntakeException e)
        {
            return Answers.Problem(e);
        }
    }

    [Function("ListSubscriptions")]
    [Operation("Your subscriptions.", Gives = typeof(Page<Subscription>))]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/subscriptions")] HttpRequest request, CancellationToken cancel) =>
        Answers.Json(new Page<Subscription>(null, null, await subscriptions.OfAsync(request.Owner(), cancel)));

    [Function("GetSubscription")]
    [Operation("A subscription.", Gives = typeof(Subscription))]
    public async Task<IActionResult> Get(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/subscriptions/{id}")] HttpRequest request, string id,
        CancellationToken cancel) => await FindAsync(request, id, cancel) is { } found ? Answers.Json(found) : Nobody(id);

    [Function("DeleteSubscription")]
    [Operation("Removes a subscription.", Status = 204)]
    public async Task<IActionResult> Delete(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/subscriptions/{id}")] HttpRequest request, string id,
        CancellationToken cancel) => await subscriptions.RemoveAsync(request.Owner(), id, cancel) ? new NoContentResult() : Nobody(id);

    /// <summary>Sends a test event and answers what came of it: 200, or 502 with the reason.</summary>
    [Function("TestSubscription")]
    [Operation("Sends a test event.")]
    public async Task<IActionResult> Test(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/subscriptions/{id}/test")] HttpRequest request, string id,
        CancellationToken cancel)
    {
        if (await FindAsync(request, id, cancel) is not { } found)
            return Nobody(id);
        var (name, root) = (JobId.New(), addresses.RootOf(request));
        var told = CloudEventShape.Test(name, found.Id, root, time.GetUtcNow());
        try
        {
            await poster.PostAsync(
                request.Owner(), found.Url, name, CloudEventShape.ContentType, Encoding.UTF8.GetBytes(told.ToJsonString()), cancel);
            return Answers.Json(new { Delivered = true, Event = told });
        }
        catch (DeliveryFailedException e)
        {
            return Answers.Problem(StatusCodes.Status502BadGateway, "Not delivered", $"The test event was not taken: {e.Message}.");
        }
    }

    /// <summary>The secret of all of the caller's webhooks and subscriptions.</summary>
    [Function("GetWebhookSecret")]
    [Operation("The secret that signs your webhooks.", Gives = typeof(WebhookSecretView))]
    public async Task<IActionResult> Secret(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/webhooks/default/secret")] HttpRequest request,
        CancellationToken cancel) =>
        Answers.Json(new WebhookSecretView(await secrets.SecretAsync(request.Owner(), cancel)));

    /// <summary>Makes a new secret; the old one signs beside it for a day.</summary>
    [Function("RotateWebhookSecret")]
    [Operation("Replaces the secret that signs your webhooks.", Gives = typeof(WebhookSecretView))]
    public async Task<IActionResult> Rotate(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/webhooks/default/secret")] HttpRequest request,
        CancellationToken cancel) =>
        Answers.Json(new WebhookSecretView(await secrets.RotateAsync(request.Owner(), cancel)));

    private async Task<Subscription?> FindAsync(HttpRequest request, string id, CancellationToken cancel) =>
        (await subscriptions.OfAsync(request.Owner(), cancel)).FirstOrDefault(one => one.Id == id);

    private static ContentResult Nobody(string id) => Answers.NotFound($"There is no subscription '{id}'.");
}
