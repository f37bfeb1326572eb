using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Storage;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Events;

/// <summary>Events of the caller's jobs that a receiver did not take for a day: to be seen, sent again and forgotten by hand.</summary>
public sealed class UndeliveredApi(EventDelivery delivery, BlobStore blobs)
{
    private const int Most = 100;

    [Function("ListUndelivered")]
    [Operation("Events that a receiver did not take for a day.", Gives = typeof(Page<UndeliveredEvent>))]
    public async Task<IActionResult> List(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/undelivered")] HttpRequest request, CancellationToken cancel)
    {
        var names = await blobs.ListAsync(StorageLayout.Records, StorageLayout.UndeliveredEvents(request.Owner()), cancel);
        var found = await Task.WhenAll(
            names.Take(Most).Select(name => blobs.ReadAsync<UndeliveredEvent>(StorageLayout.Records, name, cancel)));
        return Answers.Json(new Page<UndeliveredEvent>(
            null, null, [.. found.Where(one => one is not null).Select(one => one!.Value.Value)]));
    }

    /// <summary>200 where it is taken now, 502 with the reason where not.</summary>
    [Function("RetryUndelivered")]
    [Operation("Sends such an event again.")]
    public async Task<IActionResult> Retry(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/undelivered/{name}/retry")] HttpRequest request, string name,
        CancellationToken cancel)
    {
        var owner = request.Owner();
        if (!IsName(name)
            || await blobs.ReadAsync<UndeliveredEvent>(StorageLayout.Records, StorageLayout.UndeliveredEvent(owner, name), cancel)
                is not { Value: var found })
            return Nobody(name);
        return await delivery.RetryAsync(owner, found, cancel) is { } why
            ? Answers.Problem(StatusCodes.Status502BadGateway, "Not delivered", $"The event was not taken: {why}.")
            : Answers.Json(new { Delivered = true });
    }

    [Function("ForgetUndelivered")]
    [Operation("Forgets such an event.", Status = 204)]
    public async Task<IActionResult> Forget(
        [HttpTrigger(AuthorizationLevel.Anonymous, "delete", Route = "v1/undelivered/{name}")] HttpRequest request, string name,
        CancellationToken cancel)
    {
        if (!IsName(name))
            return Nobody(name);
        var blob = await blobs.BlobAsync(StorageLayout.Records, StorageLayout.UndeliveredEvent(request.Owner(), name));
        return (await blob.DeleteIfExistsAsync(cancellationToken: cancel)).Value ? new NoContentResult() : Nobody(name);
    }

    private static bool IsName(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.') && name.Length <= 200;

    private static ContentResult Nobody(string name) => Answers.NotFound($"There is no undelivered event '{name}'.");
}
