using System.Buffers.Binary;

namespace Sdxl.Pictures.Formats;

/// <summary>Walks a GIF's blocks and keeps the screen and the first frame.</summary>
/// <remarks>Source: GIF89a specification, appendix A and section 15 on.</remarks>
internal static class GifStructure
{
    private const byte Extension = 0x21, GraphicControl = 0xF9, ImageDescriptor = 0x2C, Trailer = 0x3B, Interlaced = 0x40;
    private const int Header = 13, ControlBytes = 8, DescriptorBytes = 10;

    /// <summary>Cut off where the first frame is; what is missing after it does not matter, since only the first is used.</summary>
    public static PictureStructure Of(byte[] file, PictureLimits limits)
    {
        if (file.Length < Header)
            throw PictureFaultException.CutOff("its header breaks off");
        var (width, height) = (Number(file, 6), Number(file, 8));
        limits.Require(width, height, limits.OtherMegapixels);
        var start = Header + ColourTable(file[10]);
        var (at, frames, control) = (start, 0, (At: 0, End: 0));
        PictureParts? parts = null;
        while (at < file.Length && file[at] != Trailer)
        {
            var from = at;
            if (file[at] == Extension && at + 1 < file.Length)
            {
                at = AfterSubBlocks(file, at + 2);
                if (file[from + 1] == GraphicControl && at - from == ControlBytes && at <= file.Length)
                    control = (from, at);
            }
            else if (file[at] == ImageDescriptor && at + DescriptorBytes < file.Length)
            {
                at = AfterSubBlocks(file, at + DescriptorBytes + ColourTable(file[at + 9]) + 1);
                if (at > file.Length)
                    break;
                frames++;
                parts ??= First(file, start, control, (from, at), width, height);
            }
            else
            {
                break;
            }
        }
        return parts is null
            ? throw PictureFaultException.CutOff("its first frame breaks off") : new(PictureFormat.Gif, width, height, parts, frames);
    }

    private static PictureParts First(byte[] file, int start, (int At, int End) control, (int At, int End) frame, int width, int height)
    {
        var right = Number(file, frame.At + 1) + Number(file, frame.At + 5);
        var bottom = Number(file, frame.At + 3) + Number(file, frame.At + 7);
        // Rows in another order, some of which do not exist: no program writes that, and ImageSharp 2.1 loses count of them.
        if ((file[frame.At + 9] & Interlaced) != 0 && (right > width || bottom > height))
            throw PictureFaultException.Broken("its first frame reaches beyond its screen");
        var parts = new PictureParts();
        parts.Add(file, 0, start);
        parts.Add(file, control.At, control.End);
        parts.Add(file, frame.At, frame.End);
        parts.Add(new[] { Trailer });
        return parts;
    }

    private static int Number(byte[] file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at));

    private static int ColourTable(byte flags) => (flags & 0x80) != 0 ? 3 << ((flags & 7) + 1) : 0;

    /// <summary>Position after the sub-blocks' terminator; beyond the end where it is missing.</summary>
    private static int AfterSubBlocks(byte[] file, int at)
    {
        while (at < file.Length && file[at] != 0)
            at += 1 + file[at];
        return at + 1 <= file.Length ? at + 1 : file.Length + 1;
    }
}
