namespace Sdxl.Pictures.Formats;

/// <summary>The tags that a first page needs. Source: TIFF 6.0, appendix A.</summary>
internal static class TiffTag
{
    public const int Width = 256, Height = 257, BitsPerSample = 258, Compression = 259, Photometric = 262, FillOrder = 266;
    public const int StripOffsets = 273, Orientation = 274, SamplesPerPixel = 277, RowsPerStrip = 278, StripByteCounts = 279;
    public const int PlanarConfiguration = 284, Predictor = 317, ColorMap = 320, TileOffsets = 324, ExtraSamples = 338, SampleFormat = 339;
    public const int Profile = 34675;
}
