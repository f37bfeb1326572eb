using System.Runtime.InteropServices;
using System.Text;

namespace SixLabors.ImageSharp.Native;

/// <summary>libsdxlimage.so: JPEG, PNG, WebP and TIFF pixels. Sources in <c>native/</c>.</summary>
internal static unsafe class Shim
{
    private const string Library = "sdxlimage";

    public const int ErrorBytes = 512;

    [DllImport(Library)]
    public static extern int sdx_jpeg_decode(
        byte* data, nuint size, int scale, int channels, long memoryLimit, byte* target, long stride, int width, int height, byte* error);

    [DllImport(Library)]
    public static extern int sdx_jpeg_encode(
        byte* pixels, long stride, int width, int height, int channels, int quality, int sampling,
        byte* exif, int exifSize, byte* icc, int iccSize, byte** result, nuint* resultSize, byte* error);

    [DllImport(Library)]
    public static extern void sdx_free(byte* memory);

    [DllImport(Library)]
    public static extern int sdx_png_decode(
        byte* data, nuint size, int channels, int depth, byte* target, long stride, int width, int height, byte* error);

    [DllImport(Library)]
    public static extern int sdx_webp_info(byte* data, nuint size, int* width, int* height, int* alpha, int* animated, byte* error);

    [DllImport(Library)]
    public static extern int sdx_webp_decode(byte* data, nuint size, int channels, byte* target, long stride, int width, int height, byte* error);

    [DllImport(Library)]
    public static extern nint sdx_webp_open(byte* data, nuint size, int* frames, byte* error);

    [DllImport(Library)]
    public static extern int sdx_webp_next(nint decoder, byte* target, long bytes, byte* error);

    [DllImport(Library)]
    public static extern void sdx_webp_close(nint decoder);

    [DllImport(Library)]
    public static extern int sdx_webp_encode(
        byte* pixels, int stride, int width, int height, int channels, float quality, int lossless, byte** result, nuint* resultSize, byte* error);

    [DllImport(Library)]
    public static extern void sdx_webp_free(byte* memory);

    [DllImport(Library)]
    public static extern int sdx_tiff_info(byte* data, nuint size, int page, int* width, int* height, int* bits, int* more, byte* error);

    [DllImport(Library)]
    public static extern int sdx_tiff_decode(byte* data, nuint size, int page, byte* target, int width, int height, byte* error);

    /// <summary>Turns a failed call into the exception that callers of ImageSharp expect.</summary>
    public static void Check(int result, string format, byte* error)
    {
        if (result != 0)
            throw new InvalidImageContentException($"{format}: {Text(error)}.");
    }

    public static string Text(byte* error) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(error)).TrimEnd('.');
}
