using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Sdxl.Core.Identity;

namespace Sdxl.Functions.Http;

/// <summary>
/// Gives a POST that comes again the id of the job that it made already. With the header Idempotency-Key that holds for ever: the key is in
/// the id. Without it an equal POST is taken for the same one where the first one's connection broke within the last minute: Replicate's
/// JavaScript repeats any request whose connection breaks, five times, at once.
/// </summary>
/// <remarks>Broken connections are remembered by this process alone: a client's repetitions come within milliseconds.</remarks>
public sealed class Repeats(TimeProvider time)
{
    private const string KeyHeader = "Idempotency-Key";
    private const int MaxKeyLetters = 255;
    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Try> _tries = new();

    public static bool HasKey(HttpRequest request) => request.Headers[KeyHeader].ToString().Length > 0;

    /// <param name="content">SHA-256 or the like of what the request brought.</param>
    /// <exception cref="IntakeException">The header is too long.</exception>
    public string IdOf(HttpRequest request, string owner, string content)
    {
        if (KeyedId(request, owner) is { } keyed)
            return keyed;
        var now = time.GetUtcNow();
        foreach (var (name, old) in _tries)
        {
            if (now - old.At > s_window)
                _tries.TryRemove(KeyValuePair.Create(name, old));
        }
        var same = $"{owner}\n{request.Path}\n{content}";
        var made = new Try(JobId.New(), now, request.HttpContext.RequestAborted);
        return _tries.AddOrUpdate(same, made, (_, before) => before.Caller.IsCancellationRequested && now - before.At <= s_window
            ? made with { Id = before.Id } : made).Id;
    }

    /// <summary>The id that belongs to the request's key; null: it has none.</summary>
    /// <exception cref="IntakeException">The header is too long.</exception>
    public string? KeyedId(HttpRequest request, string owner)
    {
        var key = request.Headers[KeyHeader].ToString();
        return key.Length > MaxKeyLetters
            ? throw new IntakeException([new IntakeProblem(KeyHeader, $"{KeyHeader} has more than {MaxKeyLetters} characters.", 400)])
            : key.Length > 0 ? JobId.From($"idempotent\n{owner}\n{request.Path}\n{key}") : null;
    }

    /// <summary>Of the parts of a request that make it what it is.</summary>
    public static string HashOf(params IEnumerable<string?> parts) =>
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts.Select(part => $"{part?.Length ?? -1}:{part}"))))
        );

    private sealed record Try(string Id, DateTimeOffset At, CancellationToken Caller);
}
