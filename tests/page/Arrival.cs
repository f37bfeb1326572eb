using System.Text.RegularExpressions;

namespace Sdxl.Tests.Page;

/// <summary>
/// Waiting until a page is at an address, by looking again and again: WaitForURLAsync looks once, then listens, and on a busy machine a
/// navigation that ends in between is waited for in vain.
/// </summary>
public static class Arrival
{
    private const float Patience = 20_000; // ms

    /// <param name="address">** stands for anything.</param>
    public static Task ArriveAsync(this IPage page, string address) =>
        Assertions
            .Expect(page)
            .ToHaveURLAsync(
                new Regex($"^{Regex.Escape(address).Replace(@"\*\*", ".*", StringComparison.Ordinal)}$"),
                new() { Timeout = Patience }
            );
}
