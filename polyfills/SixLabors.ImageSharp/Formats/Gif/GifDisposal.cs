namespace SixLabors.ImageSharp.Formats.Gif;

/// <summary>What happens to a frame's place before the next one (GIF89a, section 23).</summary>
internal enum GifDisposal
{
    Unspecified,
    Leave,
    RestoreBackground,
    RestorePrevious,
}
