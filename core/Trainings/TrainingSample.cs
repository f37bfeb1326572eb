namespace Sdxl.Core.Trainings;

/// <summary>A picture that a training drew on its way, told in jobs/{owner}/{id}/samples.json as soon as it is stored.</summary>
/// <param name="Step">Steps done when it was drawn; 0: the base model before the training.</param>
/// <param name="Index">Which of the sample prompts, from 0.</param>
/// <param name="Seed">The training's: the same noise every time, so that steps can be compared.</param>
/// <param name="File">Below jobs/{owner}/{id}/samples/: a PNG.</param>
/// <param name="Thumbnail">Likewise: a small JPEG.</param>
public sealed record TrainingSample(int Step, int Index, string Prompt, long Seed, string File, string Thumbnail);
