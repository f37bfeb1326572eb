namespace Sdxl.Pictures.Formats;

/// <summary>Why a file is refused, before it has a name: a sentence for <see cref="PictureRefusedException"/>.</summary>
internal sealed class PictureFaultException(string reason) : Exception(reason)
{
    public static PictureFaultException CutOff(string what) => new($"the picture is cut off: {what}.");

    public static PictureFaultException Broken(string what) => new($"the picture is broken and cannot be decoded ({what}).");

    /// <summary>A good file of a kind that is not read.</summary>
    /// <param name="kind">With its article: "a BigTIFF".</param>
    public static PictureFaultException Unsupported(string kind) => new($"this is {kind}, which is not read; save it as PNG or JPEG.");
}
