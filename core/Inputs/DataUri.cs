using System.Buffers.Text;
using System.Globalization;

namespace Sdxl.Core.Inputs;

/// <summary>
/// A file inside a text (RFC 2397): data:image/png;name=cat.png;base64,…. Read as clients really write it: either alphabet of base64 (RFC
/// 4648), with or without padding, in lines (MIME), percent-encoded, without a type, or with the '+' that a form has turned into spaces.
/// Data that is not base64 is refused: it is a text.
/// </summary>
/// <param name="Bytes">The file.</param>
/// <param name="Name">The parameter "name" without folders; null: none.</param>
public sealed record DataUri(byte[] Bytes, string? Name)
{
    private const string Scheme = "data:";

    public static bool IsOne(string text) => text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <param name="text">Begins with "data:".</param>
    /// <param name="maxBytes">Of the file.</param>
    /// <exception cref="DataUriException">It makes no sense, or is too large; the message is half a sentence ("has …").</exception>
    public static DataUri Parse(string text, long maxBytes)
    {
        var comma = text.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0)
            throw new DataUriException("has no ',' before its data; write it as data:image/png;base64,…");
        var parameters = text[Scheme.Length..comma].Split(';', StringSplitOptions.TrimEntries);
        var data = text.AsSpan(comma + 1);
        if (!parameters.Contains("base64", StringComparer.OrdinalIgnoreCase))
            throw new DataUriException("is not base64; write it as data:application/octet-stream;base64,…");
        if (data.Length / 4L > maxBytes) // percent signs may treble it
            throw TooLarge(maxBytes);
        var bytes = FromBase64(data);
        if (bytes.Length > maxBytes)
            throw TooLarge(maxBytes);
        return bytes.Length > 0 ? new DataUri(bytes, NameIn(parameters))
            : throw new DataUriException("holds no data: nothing stands after its ','");
    }

    private static DataUriException TooLarge(long maxBytes) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"is larger than the {maxBytes >> 20} MiB that a data URI may have; POST the file itself as multipart/form-data, or put it "
                    + $"into this service's storage and give container/path"
            ),
            isTooLarge: true
        );

    private static string? NameIn(string[] parameters) =>
        parameters.FirstOrDefault(p => p.StartsWith("name=", StringComparison.OrdinalIgnoreCase)) is { Length: > 5 } name
            && Path.GetFileName(Uri.UnescapeDataString(name[5..]).Replace('\\', '/')) is { Length: > 0 } plain ? plain : null;

    private static byte[] FromBase64(ReadOnlySpan<char> text)
    {
        var digits = new byte[text.Length + 3];
        var count = 0;
        var isOver = false; // after the padding
        for (var at = 0; at < text.Length; at++)
        {
            var letter = text[at];
            if (letter == '%')
            {
                if (at + 2 >= text.Length || !byte.TryParse(text.Slice(at + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture,
                    out var value))
                    throw Broken(letter, at);
                letter = (char)value;
                at += 2;
            }
            if (letter is '\r' or '\n' or '\t')
                continue;
            if (letter == ' ' && SpacesOfLayout(text, at) is > 0 and var spaces)
            {
                at += spaces - 1;
                continue;
            }
            if (letter == '=')
            {
                isOver = true;
                continue;
            }
            var digit = letter switch { '-' or ' ' => '+', '_' => '/', _ => letter };
            if (isOver || !(char.IsAsciiLetterOrDigit(digit) || digit is '+' or '/'))
                throw Broken(letter, at);
            digits[count++] = (byte)digit;
        }
        if (count % 4 == 1)
            throw BrokenOff($"{count} digits, a number that no file gives");
        for (; count % 4 != 0; count++)
            digits[count] = (byte)'=';
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(count)];
        // Left-over bits of the last digit are not looked at by those who write base64 by hand; the bytes are the same.
        return Base64.DecodeFromUtf8(digits.AsSpan(0, count), bytes, out _, out var written) == System.Buffers.OperationStatus.Done
            ? bytes[..written] : throw BrokenOff("an end that means nothing");
    }

    /// <summary>Spaces beside a line's end are layout, and this is their number; one inside a line stands for the '+' of base64, as forms
    /// write it: 0.</summary>
    private static int SpacesOfLayout(ReadOnlySpan<char> text, int at)
    {
        var run = text[at..].IndexOfAnyExcept(' ');
        var isAtEnd = run < 0 || text[at + run] is '\r' or '\n';
        return isAtEnd || at == 0 || text[at - 1] is '\r' or '\n' ? run < 0 ? text.Length - at : run : 0;
    }

    private static DataUriException Broken(char letter, int at) =>
        BrokenOff(FormattableString.Invariant($"'{(char.IsControl(letter) ? '\uFFFD' : letter)}' at place {at + 1}"));

    private static DataUriException BrokenOff(string found) =>
        new($"cannot be read: its base64 text is broken, it has {found}. Encode the file again, or POST it as multipart/form-data");
}

/// <summary>A data URI cannot be read; the message is half a sentence that follows its name.</summary>
public sealed class DataUriException(string message, bool isTooLarge = false) : Exception(message)
{
    public bool IsTooLarge { get; } = isTooLarge;
}
