using System.Diagnostics;
using System.Globalization;

namespace Sdxl.Tests.Fuzz;

/// <summary>
/// Gives a reader of strangers' bytes thousands of spoilt files: each must be read or refused with one of the reader's own exceptions,
/// in bounded time and memory. SDXL_FUZZ: how many (default 1,000); SDXL_FUZZ_SEED: where the random numbers begin (default 1).
/// </summary>
internal static class FuzzRun
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30); // on a machine that does other things too
    private const int ShortForm = 1_000;

    private static int Count =>
        int.TryParse(Environment.GetEnvironmentVariable("SDXL_FUZZ"), CultureInfo.InvariantCulture, out var n) ? n : ShortForm;

    private static int Seed =>
        int.TryParse(Environment.GetEnvironmentVariable("SDXL_FUZZ_SEED"), CultureInfo.InvariantCulture, out var n) ? n : 1;

    /// <param name="good">Files that the reader takes; the first mutants are these themselves.</param>
    /// <param name="read">Reads one; what it throws beyond <paramref name="refusals"/> is a fault.</param>
    /// <param name="maxMebibytes">Managed memory that one may allocate in all while it is read.</param>
    public static async Task Over(IReadOnlyList<byte[]> good, Action<byte[]> read, long maxMebibytes, params Type[] refusals)
    {
        Assert.NotEmpty(good);
        foreach (var file in good)
            read(file); // what is called good is: else the mutants would all die at the same gate
        var refused = 0;
        for (var i = 0; i < Count; i++)
        {
            var random = new Random(unchecked((Seed * 1_000_003) + i));
            var mutant = Mutator.Mutant(good[random.Next(good.Count)], good[random.Next(good.Count)], random);
            refused += await Outcome(read, mutant, i, maxMebibytes, refusals) ? 1 : 0;
        }
        // Where the reader refuses anything, mutants reach both sides of its gate; else it is not looked at, or not reached.
        if (refusals.Length > 0)
            Assert.InRange(refused, 1, Count - 1);
    }

    /// <returns>true if it was refused.</returns>
    private static async Task<bool> Outcome(Action<byte[]> read, byte[] mutant, int number, long maxMebibytes, Type[] refusals)
    {
        var watch = Stopwatch.StartNew();
        var work = Task.Factory.StartNew(
            () =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    read(mutant);
                    return (Allocated: GC.GetAllocatedBytesForCurrentThread() - before, Error: (Exception?)null);
                }
                catch (Exception e)
                {
                    return (Allocated: GC.GetAllocatedBytesForCurrentThread() - before, Error: e);
                }
            },
            CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        if (await Task.WhenAny(work, Task.Delay(s_longest)) != work)
            Assert.Fail($"It was not read within {s_longest.TotalSeconds} s. {Place(mutant, number)}");
        var (allocated, error) = await work;
        if (error is not null && !refusals.Any(type => type.IsInstanceOfType(error)))
            Assert.Fail($"{error.GetType().Name} came out: {error}\n{Place(mutant, number)}");
        if (error is not null && (string.IsNullOrWhiteSpace(error.Message) || error.Message.Length > 20_000))
            Assert.Fail($"The refusal has {error.Message.Length} characters. {Place(mutant, number)}");
        if (allocated > maxMebibytes << 20)
            Assert.Fail(
                $"{allocated >> 20} MiB were allocated in {watch.ElapsedMilliseconds} ms, at most {maxMebibytes} may be. "
                    + $"{Place(mutant, number)}"
            );
        return error is not null;
    }

    private static string Place(byte[] mutant, int number)
    {
        var file = Path.Combine(Path.GetTempPath(), $"sdxl-fuzz-{Seed}-{number}.bin");
        File.WriteAllBytes(file, mutant);
        return $"Mutant {number} of seed {Seed}, kept as {file}; again: SDXL_FUZZ_SEED={Seed} SDXL_FUZZ={number + 1}.";
    }
}
