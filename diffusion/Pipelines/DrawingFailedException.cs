namespace Sdxl.Diffusion.Pipelines;

/// <summary>A picture could not be computed; the message is the sentence that the user reads: what happened and what to do.</summary>
public sealed class DrawingFailedException(string message) : Exception(message);
