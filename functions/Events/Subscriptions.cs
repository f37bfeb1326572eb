using Azure;
using Sdxl.Core.Events;
using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.Functions.Http;
using Sdxl.Functions.Storage;

namespace Sdxl.Functions.Events;

/// <summary>An address that is told of an owner's jobs.</summary>
/// <param name="Types">Event types, or their beginnings with a star: "training.*".</param>
public sealed record Subscription(string Id, string Url, IReadOnlyList<string> Types, DateTimeOffset CreatedAt)
{
    public bool Takes(string type) =>
        Types.Any(wanted => wanted.EndsWith('*') ? type.StartsWith(wanted[..^1], StringComparison.Ordinal) : wanted == type);
}

/// <summary>An owner's subscriptions, all in one document.</summary>
public sealed class Subscriptions(BlobStore blobs, TimeProvider time)
{
    private const int Most = 20;
    private static readonly string[] s_all = ["*"];

    /// <summary>Oldest first.</summary>
    public async Task<IReadOnlyList<Subscription>> OfAsync(string owner, CancellationToken cancel) =>
        (await blobs.ReadAsync<IReadOnlyList<Subscription>>(StorageLayout.Records, StorageLayout.Subscriptions(owner), cancel))?.Value
        ?? [];

    /// <param name="types">Empty: every type.</param>
    /// <exception cref="IntakeException">An address or a type that cannot be, or too many subscriptions.</exception>
    public async Task<Subscription> AddAsync(string owner, string url, IReadOnlyList<string> types, CancellationToken cancel)
    {
        var problems = new List<IntakeProblem>();
        if (WebhookFields.ProblemOf(url) is { } problem)
            problems.Add(new IntakeProblem("url", $"'url' {problem}", 422));
        problems.AddRange(types.Where(type => !EventTypes.All.Any(new Subscription("", "", [type], default).Takes)).Select(type =>
            new IntakeProblem("types", $"No event is of type '{(type.Length > 60 ? type[..57] + "…" : type)}'. Types: "
                + $"{string.Join(", ", EventTypes.All)}; a star ends a beginning, as in training.*.", 422)));
        if (problems.Count > 0)
            throw new IntakeException(problems);
        var made = new Subscription(JobId.New(), url, types.Count == 0 ? s_all : [.. types.Distinct()], time.GetUtcNow());
        await ChangeAsync(owner, list => list.Count < Most ? [.. list, made] : throw new IntakeException([new IntakeProblem(
            "url", $"There are {Most} subscriptions already, which is the most. Delete one first.", 422)]), cancel);
        return made;
    }

    /// <returns>false where there is none of that id.</returns>
    public async Task<bool> RemoveAsync(string owner, string id, CancellationToken cancel)
    {
        var found = false;
        await ChangeAsync(owner, list =>
        {
            var left = list.Where(one => one.Id != id).ToList();
            found = left.Count < list.Count;
            return left;
        }, cancel);
        return found;
    }

    private async Task ChangeAsync(
        string owner,
        Func<IReadOnlyList<Subscription>, IReadOnlyList<Subscription>> change,
        CancellationToken cancel
    )
    {
        var name = StorageLayout.Subscriptions(owner);
        while (true)
        {
            var known = await blobs.ReadAsync<IReadOnlyList<Subscription>>(StorageLayout.Records, name, cancel);
            var next = change(known?.Value ?? []);
            try
            {
                if (known is { } current)
                    await blobs.WriteAsync(StorageLayout.Records, name, next, current.ETag, cancel);
                else if (!await blobs.CreateAsync(StorageLayout.Records, name, next, cancel))
                    continue;
                return;
            }
            catch (RequestFailedException e) when (e.Status == 412)
            {
                // Another request changed them in between.
            }
        }
    }
}
