using System.Globalization;

namespace Sdxl.Core.Text;

/// <summary>Counts in sentences: "1 picture", "12 pictures", "40,960 bytes".</summary>
public static class Plural
{
    /// <param name="noun">In the singular; its plural ends in s.</param>
    public static string Of(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {noun}{(count == 1 ? "" : "s")}");

    /// <summary>The verb that goes with the count: Verb(1, "is", "are").</summary>
    public static string Verb(long count, string one, string many) => count == 1 ? one : many;
}
