namespace Sdxl.Diffusion.Pipelines;

/// <summary>One drawn picture.</summary>
/// <param name="Index">Which of the outputs, from 0.</param>
/// <param name="Seed">Draw it again alone with this seed and one output.</param>
/// <param name="Rgb">Rows from the top, three bytes a pixel.</param>
/// <param name="Flagged">The safety checker objected: the picture is black.</param>
public sealed record GeneratedPicture(int Index, long Seed, byte[] Rgb, int Width, int Height, bool Flagged);

/// <summary>How far a request is. Reported after each call of the net.</summary>
/// <param name="Picture">From 0.</param>
/// <param name="Step">Calls done for this picture.</param>
/// <param name="Steps">Calls it takes.</param>
public sealed record GenerationProgress(int Picture, int Pictures, int Step, int Steps);
