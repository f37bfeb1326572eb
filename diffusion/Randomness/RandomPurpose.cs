namespace Sdxl.Diffusion.Randomness;

/// <summary>
/// What a random number is for. Each purpose is its own stream, so adding a use never shifts another. Numbers are stored in checkpoints'
/// meaning: never renumber.
/// </summary>
public enum RandomPurpose : uint
{
    /// <summary>The noise a picture is sampled from (step 0, index: output).</summary>
    SampleLatent = 1,

    /// <summary>Noise added inside a sampling step (ancestral samplers; index: output).</summary>
    SampleStep = 2,

    /// <summary>Noise for starting from a picture (image to image, inpainting).</summary>
    SampleStart = 3,

    /// <summary>A training step's noise (index: sample of the step).</summary>
    TrainNoise = 10,

    /// <summary>A training step's timesteps.</summary>
    TrainTimestep = 11,

    /// <summary>The draw from the VAE's posterior.</summary>
    TrainPosterior = 12,

    /// <summary>Noise offset of a training step.</summary>
    TrainNoiseOffset = 13,

    /// <summary>Order of pictures (step: epoch).</summary>
    TrainOrder = 14,

    /// <summary>Horizontal flips.</summary>
    TrainFlip = 15,

    /// <summary>Caption dropout.</summary>
    TrainCaptionDropout = 16,

    /// <summary>Noise under which a training's net is judged before and after (index: sample).</summary>
    TrainJudgement = 17,

    /// <summary>Noise under which a training's net is measured on the pictures held out (index: sample).</summary>
    TrainHeldOut = 18,

    /// <summary>Initial LoRA weights (index: layer).</summary>
    InitialLora = 20,

    /// <summary>Initial textual-inversion rows (index: encoder).</summary>
    InitialTokens = 21,

    /// <summary>Any other weight initialisation (tests, benchmarks).</summary>
    InitialWeights = 22,
}
