namespace Sdxl.Core.Archives;

/// <summary>What a file's first bytes say it is.</summary>
public enum ContentKind
{
    Unknown,
    Empty,
    Jpeg,
    Png,
    Webp,
    Gif,
    Bmp,
    Tiff,
    Heic,
    Avif,
    JpegXl,
    Svg,
    Photoshop,
    CameraRaw,
    Zip,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Rar,
    SevenZip,
    Pdf,
    Html,
    Json,
    Video,
    Program,
    Text,
}
