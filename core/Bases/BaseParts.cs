namespace Sdxl.Core.Bases;

/// <summary>What of a base model a job needs.</summary>
[Flags]
public enum BaseParts
{
    None = 0,

    /// <summary>Text encoders, U-Net and VAE: to train and to draw.</summary>
    Nets = 1,

    Refiner = 2,
    SafetyChecker = 4,

    /// <summary>blip/: captions for pictures that nobody captioned.</summary>
    Captioner = 8,

    /// <summary>clipseg/: masks from words.</summary>
    WordMasks = 16,

    /// <summary>yunet/: masks from faces.</summary>
    FaceMasks = 32,
}
