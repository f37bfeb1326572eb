using Sdxl.Pictures.Decoding;
using Sdxl.Pictures.Formats;

namespace Sdxl.Pictures;

/// <summary>
/// The one door for pictures of strangers: upright by EXIF, in sRGB, transparency over white, 16 bits to 8, grey and CMYK to red green
/// blue, the first frame of several. The file's structure is checked first (<see cref="PictureStructure"/>), then it is decoded
/// (<see cref="PictureDecoder"/>).
/// </summary>
public sealed class PictureLoader(PictureLimits limits)
{
    private const int LargestLabel = 8;

    /// <summary>
    /// Decodes a picture and shrinks it, shape kept, as far as its longer side exceeds maxSide while its shorter side keeps minSide.
    /// </summary>
    /// <param name="name">For messages.</param>
    /// <exception cref="PictureRefusedException">Empty, no picture, cut off, broken, of a kind not read, or beyond the limits.</exception>
    public LoadedPicture Load(
        Stream stream, string name, int maxSide = int.MaxValue, int minSide = 1, CancellationToken cancel = default) =>
        Load(ReadAll(stream, name, cancel), name, isMask: false, maxSide, minSide, cancel);

    /// <summary>As from a stream.</summary>
    /// <exception cref="PictureRefusedException">As from a stream.</exception>
    public LoadedPicture Load(
        byte[] file, string name, int maxSide = int.MaxValue, int minSide = 1, CancellationToken cancel = default) =>
        Load(Bounded(file, name), name, isMask: false, maxSide, minSide, cancel);

    /// <summary>
    /// Decodes a mask to one channel; transparency is laid over black, since what is transparent is not selected. Where that is black all
    /// over (a subject cut out in black), the opacity is the mask. A mask of small numbers (0 and 1, as segmentation programs write it) is
    /// brought to 255.
    /// </summary>
    /// <exception cref="PictureRefusedException">As for a picture.</exception>
    public PixelGrid LoadMask(Stream stream, string name, int maxSide, CancellationToken cancel = default) =>
        Stretched(Load(ReadAll(stream, name, cancel), name, isMask: true, maxSide, 1, cancel).Pixels);

    /// <summary>As from a stream.</summary>
    /// <exception cref="PictureRefusedException">As for a picture.</exception>
    public PixelGrid LoadMask(byte[] file, string name, int maxSide, CancellationToken cancel = default) =>
        Stretched(Load(Bounded(file, name), name, isMask: true, maxSide, 1, cancel).Pixels);

    private static PixelGrid Stretched(PixelGrid mask)
    {
        var brightest = mask.Data.Max();
        if (brightest is 0 or > LargestLabel)
            return mask;
        var stretched = Array.ConvertAll(mask.Data, value => (byte)((value * 255 + brightest / 2) / brightest));
        return new PixelGrid(mask.Width, mask.Height, 1, stretched);
    }

    private LoadedPicture Load(byte[] file, string name, bool isMask, int maxSide, int minSide, CancellationToken cancel)
    {
        try
        {
            return Decode(file, isMask, maxSide, minSide, cancel);
        }
        catch (PictureFaultException fault)
        {
            throw new PictureRefusedException(name, fault.Message, fault);
        }
        catch (Exception error) when (error is not OutOfMemoryException and not OperationCanceledException)
        {
            // Whatever a decoder throws over hostile bytes, it is this one file that is no good.
            var fault = PictureFaultException.Broken(error.Message.ReplaceLineEndings(" ").TrimEnd('.'));
            throw new PictureRefusedException(name, fault.Message, error);
        }
    }

    private LoadedPicture Decode(byte[] file, bool isMask, int maxSide, int minSide, CancellationToken cancel)
    {
        var structure = PictureStructure.Of(file, limits);
        var target = Target(structure.Width, structure.Height, maxSide, minSide);
        var (width, height) = PictureResizer.FitWithin(structure.Width, structure.Height, target);
        var result = (long)width * height * PictureRows.Channels(isMask) * (structure.Orientation == 1 ? 1 : 2);
        using var memory = new DecoderMemory(((long)limits.MemoryMebibytes << 20) - file.Length - result);
        // A mask's numbers are no colours.
        var rows = new PictureRows(structure.Width, structure.Height, width, height, isMask, isMask ? null : structure.Colours.Conversion);
        try
        {
            PictureDecoder.Decode(structure, rows, memory, cancel);
        }
        catch (Exception error) when (memory.Exceeded && error is not OperationCanceledException)
        {
            var pixels = $"{structure.Width:N0} x {structure.Height:N0} pixels";
            throw new PictureFaultException(
                $"decoding its {pixels} needs more than the {limits.MemoryMebibytes} MiB that one picture may take; shrink it.");
        }
        var upright = Upright.Turn(rows.Result(), structure.Orientation);
        var (fullWidth, fullHeight) = (structure.Width, structure.Height);
        if (Upright.Transposes(structure.Orientation))
            (fullWidth, fullHeight) = (fullHeight, fullWidth);
        return new LoadedPicture(upright, fullWidth, fullHeight, rows.HasTransparency, structure.Frames, structure.Colours.Warning);
    }

    private static int Target(int width, int height, int maxSide, int minSide)
    {
        var (longest, shortest) = (Math.Max(width, height), Math.Min(width, height));
        var factor = Math.Max((double)maxSide / longest, (double)minSide / shortest);
        return factor >= 1 ? longest : (int)Math.Ceiling(longest * factor);
    }

    private byte[] Bounded(byte[] file, string name)
    {
        if (file.Length == 0)
            throw new PictureRefusedException(name, "the file is empty.");
        return file.Length <= limits.FileBytes ? file : throw TooLarge(name);
    }

    private PictureRefusedException TooLarge(string name) =>
        new(name, $"the file is larger than the {limits.FileBytes >> 20} MiB allowed.");

    private byte[] ReadAll(Stream stream, string name, CancellationToken cancel)
    {
        if (stream.CanSeek && stream.Length - stream.Position is var left && left <= limits.FileBytes)
        {
            var whole = new byte[left];             // no growing buffer beside it
            stream.ReadExactly(whole);
            return Bounded(whole, name);
        }
        using var buffer = new MemoryStream();
        var part = new byte[81920];
        for (int read; (read = stream.Read(part)) > 0;)
        {
            cancel.ThrowIfCancellationRequested();
            if (buffer.Length + read > limits.FileBytes)
                throw TooLarge(name);
            buffer.Write(part, 0, read);
        }
        return Bounded(buffer.ToArray(), name);
    }
}
