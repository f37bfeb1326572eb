using System.Globalization;
using System.Net;
using Sdxl.Core.Bases;
using Sdxl.Core.Text;

namespace Sdxl.Cli.Models;

/// <summary>
/// Brings one model file: into NAME.part beside its place, from where it broke off, as often as the server needs, and under its name only
/// when its hash is right.
/// </summary>
internal sealed class ModelDownload(ModelSource source, TimeProvider time)
{
    private const int MaxTriesWithoutProgress = 6;
    private const int FirstPauseSeconds = 1; // then 2, 4, 8, 16: half a minute in all
    private const int MaxPauseSeconds = 120; // a server that asks for more is asked again anyway

    /// <param name="path">Where the file goes.</param>
    /// <param name="expected">What it must hash to; null: what the server names.</param>
    /// <param name="progress">Bytes that are there, bytes in all (0: unknown).</param>
    /// <param name="again">Told in a sentence what went wrong and when it is tried again.</param>
    /// <returns>The hash that was verified: SHA-256 or git's SHA-1.</returns>
    /// <exception cref="CliException">The file cannot be had, with what to do.</exception>
    public async Task<ContentHash> FetchAsync(
        BaseFile file,
        string path,
        ContentHash? expected,
        Action<long, long> progress,
        Action<string> again,
        CancellationToken cancel
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var part = path + ".part";
        string? trouble = null;
        var wrongBytes = 0;
        for (var tries = 0; tries < MaxTriesWithoutProgress; tries++)
        {
            var before = Length(part);
            TimeSpan? askedPause = null;
            try
            {
                var (complete, named, pause, problem) = await ContinueAsync(file, part, before, expected, progress, cancel);
                expected ??= named;
                (askedPause, trouble) = (pause, problem);
                if (complete)
                {
                    if (expected is null)
                        throw new CliException(
                            $"{source.AddressOf(file)}: neither the manifest nor the server names a hash, so the file cannot be verified. "
                                + "Add its sha256 to the manifest."
                        );
                    var found = await expected.OfFileAsync(part, cancel);
                    if (found == expected.Hex)
                    {
                        File.Move(part, path, overwrite: true);
                        return expected;
                    }
                    File.Delete(part);
                    trouble = $"its {expected.Name} is {found}, expected {expected.Hex}";
                    if (++wrongBytes == 2)
                        throw new CliException(
                            $"{file.Path} came with wrong bytes twice: {trouble}. The file on {source.AddressOf(file).Host} is not the one "
                                + "that the manifest pins; nothing was kept."
                        );
                    again($"{file.Path} came with wrong bytes: {trouble}. It is downloaded once more.");
                    continue;
                }
            }
            catch (Exception e) when (ModelSource.Trouble(e, source.StallPatience, cancel) is { } what)
            {
                trouble = what;
            }
            if (Length(part) > before)
                tries = -1; // it got further: the patience is for standing still
            var next = tries + 2; // as people count
            if (next > MaxTriesWithoutProgress)
                break;
            var seconds = askedPause is { } asked
                ? Math.Clamp(asked.TotalSeconds, 0, MaxPauseSeconds)
                : FirstPauseSeconds << Math.Clamp(tries, 0, 4);
            again(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file.Path} from {source.Server}: {trouble}. Attempt {next} of {MaxTriesWithoutProgress} "
                        + $"{(seconds > 0 ? $"in {seconds:0} s" : "now")}."
                )
            );
            await Task.Delay(TimeSpan.FromSeconds(seconds), time, cancel);
        }
        throw new CliException(
            $"{file.Path} could not be downloaded from {source.AddressOf(file)} in {MaxTriesWithoutProgress} attempts: {trouble}. What "
                + $"came is kept; run ./sdxl models pull again to go on from there."
        );
    }

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>One request for what is missing.</summary>
    private async Task<(bool Complete, ContentHash? Hash, TimeSpan? Pause, string? Problem)> ContinueAsync(
        BaseFile file, string part, long have, ContentHash? expected, Action<long, long> progress, CancellationToken cancel)
    {
        var (response, hash) = await source.GetAsync(file, have, cancel);
        using var _ = response;
        // Said before gigabytes are fetched for nothing.
        if (expected is not null && hash is not null && expected.Name == hash.Name && expected != hash)
            throw new CliException(
                $"{source.AddressOf(file)} is announced with {hash.Name} {hash.Hex}; "
                    + $"{(file.Sha256 is null ? "when it was first pulled it was" : "the manifest says")} {expected.Hex}. Nothing was "
                    + "downloaded."
            );
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.PartialContent:
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable:
                // All of it is there already, or the part is of another file: the hash tells; a part that is too long starts anew.
                if (response.Content.Headers.ContentRange?.Length is { } whole && whole == have)
                    return (true, hash, null, null);
                File.Delete(part);
                return (false, hash, TimeSpan.Zero, "the part that was there did not belong to it");
            case HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError:
                var retry = response.Headers.RetryAfter;
                return (
                    false,
                    hash,
                    retry?.Delta ?? (retry?.Date is { } date ? date - time.GetUtcNow() : null),
                    $"the server answers {(int)response.StatusCode} {response.ReasonPhrase}"
                );
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                throw new CliException(
                    $"{file.Repository} is not open to everybody ({(int)response.StatusCode}): accept its licence ({file.Licence}) at "
                        + $"{source.PageOf(file)} and set HF_TOKEN to a token of yours."
                );
            case HttpStatusCode.NotFound:
                throw new CliException(
                    $"{source.AddressOf(file)} is not there (404): the manifest's repository, revision or file name is wrong."
                );
            default:
                throw new CliException(
                    $"{source.AddressOf(file)} answers {(int)response.StatusCode} {response.ReasonPhrase}, which cannot be worked with."
                );
        }
        // A server that ignores the range sends everything: begin again.
        var start = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? have : 0;
        if (start > have)
            throw new HttpRequestException($"the server went on at byte {start:N0} where {have:N0} was asked for");
        var total =
            response.Content.Headers.ContentRange?.Length ?? (response.Content.Headers.ContentLength is { } length ? start + length : 0);
        await using var content = await response.Content.ReadAsStreamAsync(cancel);
        await using var target = new FileStream(part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        target.SetLength(start);
        target.Position = start;
        var buffer = new byte[1 << 18];
        while (true)
        {
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            stall.CancelAfter(source.StallPatience);
            var read = await content.ReadAsync(buffer, stall.Token);
            if (read == 0)
                break;
            await target.WriteAsync(buffer.AsMemory(0, read), cancel);
            progress(target.Position, total);
        }
        target.Flush(flushToDisk: true);
        return total == 0 || target.Position == total
            ? (true, hash, null, null)
            : (false, hash, null, $"the connection ended after {target.Position:N0} of {Plural.Of(total, "byte")}");
    }
}
