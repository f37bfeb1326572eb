namespace Sdxl.Vision.Pictures;

/// <summary>Walks a GIF's blocks. Source: GIF89a specification, appendix A and section 15 on.</summary>
internal static class GifStructure
{
    private const byte Extension = 0x21, ImageDescriptor = 0x2C, Trailer = 0x3B;

    /// <summary>Cut off where the first frame is; what is missing after it does not matter, since only the first is used.</summary>
    public static PictureStructure Of(ReadOnlySpan<byte> file)
    {
        const int Header = 13;
        if (file.Length < Header)
            return new("its header breaks off");
        var (at, frames) = (Header + ColourTable(file[10]), 0);
        while (at < file.Length && file[at] != Trailer)
        {
            if (file[at] == Extension)
            {
                at = AfterSubBlocks(file, at + 2);
            }
            else if (file[at] == ImageDescriptor && at + 10 < file.Length)
            {
                at = AfterSubBlocks(file, at + 10 + ColourTable(file[at + 9]) + 1);
                if (at <= file.Length)
                    frames++;
            }
            else
            {
                break;
            }
        }
        return frames > 0 ? new(null, frames) : new("its first frame breaks off");
    }

    private static int ColourTable(byte flags) => (flags & 0x80) != 0 ? 3 << ((flags & 7) + 1) : 0;

    /// <summary>Position after the sub-blocks' terminator; beyond the end where it is missing.</summary>
    private static int AfterSubBlocks(ReadOnlySpan<byte> file, int at)
    {
        while (at < file.Length && file[at] != 0)
            at += 1 + file[at];
        return at + 1 <= file.Length ? at + 1 : file.Length + 1;
    }
}
