namespace Sdxl.Vision;

/// <summary>How one picture is to be prepared for training.</summary>
public sealed record PreparationSettings
{
    /// <summary>Side of the square that comes out, in pixels.</summary>
    public int Resolution { get; init; } = 512;

    /// <summary>What the mask is to show, several separated by "|"; null or blank: no mask by text.</summary>
    public string? MaskTargetPrompts { get; init; }

    /// <summary>Whether the crop follows the mask's centre of mass; otherwise it is the middle.</summary>
    public bool CropBasedOnSalience { get; init; } = true;

    /// <summary>The square to cut out, in pixels of the original, upright; null: chosen here. It must lie within the picture.</summary>
    public Crops.SquareCrop? Crop { get; init; }

    /// <summary>Masks faces instead of what prompts name.</summary>
    public bool UseFaceDetectionInstead { get; init; }

    /// <summary>Above 0; less makes masks by text sharper.</summary>
    public double ClipSegTemperature { get; init; } = 1;

    /// <summary>The caption that came with the picture; null lets BLIP write one.</summary>
    public string? Caption { get; init; }

    /// <summary>
    /// Longer side of the working copy: larger pictures are shrunk while they are decoded, as long as their shorter side keeps Resolution.
    /// </summary>
    public int MaxSourceSide { get; init; } = 4096;

    /// <summary>Longer side of the thumbnail.</summary>
    public int ThumbnailSide { get; init; } = 192;
}
