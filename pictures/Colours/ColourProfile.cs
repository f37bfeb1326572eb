using System.Buffers.Binary;
using System.Text;

namespace Sdxl.Pictures.Colours;

/// <summary>
/// The ICC profile of a picture: what its numbers mean. Profiles of three primaries and tone curves (screens, cameras, phones: Display P3,
/// Adobe RGB, ProPhoto) and grey ones of a curve are converted to sRGB; those of tables and for inks are named.
/// </summary>
/// <remarks>
/// Read here with bounds and never given to ImageSharp. Source: ICC.1:2022, sections 7 to 10; tags rXYZ, gXYZ, bXYZ are in the profile
/// connection space, relative to D50.
/// </remarks>
internal sealed record ColourProfile(SrgbConversion? Conversion, string? Warning)
{
    /// <summary>Matrix profiles take some hundred bytes, those of tables a few MiB at most.</summary>
    public const int MostBytes = 8 << 20;

    private const int HeaderBytes = 128, TagBytes = 12, MostTags = 200, MostLetters = 60;
    private const double OddestWhite = 0.3; // primaries whose sum is further from white than this are garbage

    private static readonly ColourProfile s_srgb = new(null, null);

    /// <param name="profile">Empty: none, the picture is sRGB.</param>
    /// <param name="isCmyk">The picture itself is of inks.</param>
    public static ColourProfile Read(ReadOnlySpan<byte> profile, bool isCmyk = false)
    {
        if (profile.IsEmpty)
            return s_srgb;
        if (profile.Length < HeaderBytes + 4 || !profile[36..40].SequenceEqual("acsp"u8))
            return Named("cannot be read");
        var name = Name(profile);
        var space = profile[16..20];
        if (isCmyk || space.SequenceEqual("CMYK"u8))
            return Named("is for inks (CMYK)", name);
        if (space.SequenceEqual("GRAY"u8))
            return ToneCurve.Read(Tag(profile, "kTRC"u8)) is { } grey ? Converted(SrgbConversion.OfGrey(grey))
                : Named("is of another kind than a curve", name);
        if (!space.SequenceEqual("RGB "u8))
            return Named($"is of an unknown kind ('{Encoding.ASCII.GetString(space).Trim()}')", name);
        if (ToneCurve.Read(Tag(profile, "rTRC"u8)) is { } red && ToneCurve.Read(Tag(profile, "gTRC"u8)) is { } green
            && ToneCurve.Read(Tag(profile, "bTRC"u8)) is { } blue && Primaries(profile) is { } primaries)
            return Converted(new SrgbConversion([red, green, blue], primaries));
        var hasTables = !Tag(profile, "A2B0"u8).IsEmpty || !Tag(profile, "A2B1"u8).IsEmpty;
        return Named(hasTables ? "is made of tables (LUT)" : "cannot be read", name);
    }

    private static ColourProfile Converted(SrgbConversion conversion) => conversion.ChangesNothing ? s_srgb : new(conversion, null);

    /// <summary>A warning that names a profile which is not applied.</summary>
    /// <param name="why">"is for inks".</param>
    public static ColourProfile Named(string why, string name = "") =>
        new(
            null,
            $"Its colour profile{(name.Length > 0 ? $" '{name}'" : "")} {why} and is not applied: its colours may be off. Save it in sRGB."
        );

    /// <summary>Rows X, Y, Z; columns red, green, blue. Null where the tags are missing or do not add up to a white.</summary>
    private static double[,]? Primaries(ReadOnlySpan<byte> profile)
    {
        var columns = new double[3, 3];
        for (var column = 0; column < 3; column++)
        {
            var tag = Tag(profile, column switch { 0 => "rXYZ"u8, 1 => "gXYZ"u8, _ => "bXYZ"u8 });
            if (tag.Length < 20 || !tag[..4].SequenceEqual("XYZ "u8))
                return null;
            for (var row = 0; row < 3; row++)
                columns[row, column] = BinaryPrimitives.ReadInt32BigEndian(tag[(8 + 4 * row)..]) / 65536.0;
        }
        var white = columns[1, 0] + columns[1, 1] + columns[1, 2];
        return Math.Abs(white - 1) < OddestWhite ? columns : null;
    }

    /// <summary>A tag's bytes; empty where it is missing or leaves the profile.</summary>
    private static ReadOnlySpan<byte> Tag(ReadOnlySpan<byte> profile, ReadOnlySpan<byte> signature)
    {
        var count = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(profile[HeaderBytes..]), MostTags);
        for (var i = 0; i < count; i++)
        {
            var at = HeaderBytes + 4 + i * TagBytes;
            if (at + TagBytes > profile.Length)
                break;
            if (!profile.Slice(at, 4).SequenceEqual(signature))
                continue;
            var (offset, size) = (BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 4)..]),
                BinaryPrimitives.ReadUInt32BigEndian(profile[(at + 8)..]));
            return (long)offset + size <= profile.Length ? profile.Slice((int)offset, (int)size) : [];
        }
        return [];
    }

    /// <summary>Its description, in letters that can be shown.</summary>
    private static string Name(ReadOnlySpan<byte> profile)
    {
        var tag = Tag(profile, "desc"u8);
        var text = "";
        if (tag.Length > 12 && tag[..4].SequenceEqual("desc"u8)) // version 2: a count, then ASCII
            text = Encoding.ASCII.GetString(tag[12..(int)Math.Min(tag.Length, 12L + BinaryPrimitives.ReadUInt32BigEndian(tag[8..]))]);
        else if (tag.Length >= 28 && tag[..4].SequenceEqual("mluc"u8)) // version 4: records of language, length and place, UTF-16
        {
            var (length, at) = (BinaryPrimitives.ReadUInt32BigEndian(tag[20..]), BinaryPrimitives.ReadUInt32BigEndian(tag[24..]));
            if ((long)at + length <= tag.Length)
                text = Encoding.BigEndianUnicode.GetString(tag.Slice((int)at, (int)length));
        }
        var shown = new string([.. text.Where(letter => !char.IsControl(letter) && !char.IsSurrogate(letter) && letter != '\'')
            .Take(MostLetters)]).Trim();
        return shown;
    }
}
