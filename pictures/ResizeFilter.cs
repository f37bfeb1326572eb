namespace Sdxl.Pictures;

/// <summary>Pillow's filters; the numbers are Pillow's own, as "resample" in a preprocessor_config.json.</summary>
public enum ResizeFilter
{
    Lanczos = 1,
    Bilinear = 2,
    Bicubic = 3,
    Box = 4,
}
