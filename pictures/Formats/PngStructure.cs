using System.Buffers.Binary;
using Sdxl.Pictures.Colours;

namespace Sdxl.Pictures.Formats;

/// <summary>
/// Walks a PNG's chunks and keeps the header, the palette, the transparency and the pixels. Texts and profiles, which ImageSharp 2.1 would
/// inflate without a limit, stay outside (<see cref="PngTexts"/> reads what counts); of an animation the still picture is kept.
/// </summary>
/// <remarks>Source: PNG specification, third edition, sections 5 and 11.</remarks>
internal static class PngStructure
{
    private const int HeaderBytes = 13, PaletteColour = 3, MostColours = 256;

    /// <summary>In cICP: BT.709's primaries, sRGB's curve.</summary>
    private static ReadOnlySpan<byte> Srgb => [1, 13];

    public static PictureStructure Of(byte[] file, PictureLimits limits)
    {
        var (parts, pixels) = (new PictureParts(), new PictureParts());
        var (frames, hasPalette) = (1, false);
        var (ofChunk, ofText) = ((int?)null, (int?)null); // orientations
        ColourProfile? colours = null;
        PngHeader? header = null;
        parts.Add(file, 0, 8);
        for (long at = 8; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan((int)at));
            var end = at + 12 + length;
            if (end > file.Length)
                break;
            ReadOnlySpan<byte> type = file.AsSpan((int)at + 4, 4), data = file.AsSpan((int)at + 8, (int)length);
            if (header is null)
            {
                if (!type.SequenceEqual("IHDR"u8) || length != HeaderBytes)
                    throw PictureFaultException.Broken("it does not begin with its header");
                header = PngHeader.Read(data);
                limits.Require(header.Width, header.Height, limits.OtherMegapixels);
                header.Check();
                parts.Add(file, at, end);
            }
            else if (type.SequenceEqual("PLTE"u8) && !hasPalette)
            {
                hasPalette = true;
                parts.Add(Palette(data));
            }
            else if (type.SequenceEqual("tRNS"u8) && pixels.Length == 0 && length <= MostColours)
            {
                parts.Add(file, at, end);
            }
            else if (type.SequenceEqual("IDAT"u8))
            {
                pixels.Add(file, at + 8, end - 4);
            }
            else if (type.SequenceEqual("acTL"u8) && length >= 4)
            {
                frames = (int)Math.Clamp(BinaryPrimitives.ReadUInt32BigEndian(data), 1, 1_000_000);
            }
            else if (type.SequenceEqual("eXIf"u8))
            {
                ofChunk = ExifOrientation.OfPrefixed(data);
            }
            else if (type.SequenceEqual("tEXt"u8) || type.SequenceEqual("zTXt"u8) || type.SequenceEqual("iTXt"u8))
            {
                ofText ??= PngTexts.Orientation(type, data);
            }
            else if (type.SequenceEqual("iCCP"u8))
            {
                colours ??= ColourProfile.Read(PngTexts.Profile(data));
            }
            else if (type.SequenceEqual("cICP"u8) && !data.StartsWith(Srgb))
            {
                colours = ColourProfile.Named("is one of video (cICP)");
            }
            else if (type.SequenceEqual("IEND"u8))
            {
                if (header.ColourType == PaletteColour && !hasPalette)
                    throw PictureFaultException.Broken("its palette is missing");
                PngPixels.RequireAll(pixels, header);
                AddPixels(parts, pixels);
                parts.Add(file, at, end);
                return new(PictureFormat.Png, (int)header.Width, (int)header.Height, parts, frames, ofChunk ?? ofText ?? 1)
                {
                    Colours = colours ?? ColourProfile.Read([]),
                };
            }
            at = end;
        }
        throw PictureFaultException.CutOff("its end chunk is missing");
    }

    /// <summary>
    /// A palette of 256 colours, black behind the file's own: ImageSharp 2.1 looks colours of interlaced pictures up without a check.
    /// </summary>
    private static byte[] Palette(ReadOnlySpan<byte> colours)
    {
        const int Bytes = 3 * MostColours;
        if (colours.Length is 0 or > Bytes || colours.Length % 3 != 0)
            throw PictureFaultException.Broken($"its palette of {colours.Length} bytes is not made of colours");
        var chunk = new byte[12 + Bytes];
        BinaryPrimitives.WriteInt32BigEndian(chunk, Bytes);
        "PLTE"u8.CopyTo(chunk.AsSpan(4));
        colours.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + Bytes), PngChecksum.Of(chunk.AsSpan(4, 4 + Bytes)));
        return chunk;
    }

    /// <summary>
    /// All pixels in one chunk: ImageSharp 2.1 takes an empty chunk, or one that ends within the stream's header, for the end, and then
    /// waits for the rest of an interlaced picture for ever.
    /// </summary>
    private static void AddPixels(PictureParts parts, PictureParts pixels)
    {
        var header = "\0\0\0\0IDAT"u8.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(header, (int)pixels.Length);
        var checksum = PngChecksum.Of(header.AsSpan(4));
        foreach (var part in pixels.All)
            checksum = PngChecksum.Of(part.Span, checksum);
        var trailer = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(trailer, checksum);
        parts.Add(header);
        pixels.CopyTo(parts);
        parts.Add(trailer);
    }
}
