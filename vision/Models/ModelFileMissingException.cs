namespace Sdxl.Vision.Models;

/// <summary>A preprocessing model's file is not on this machine.</summary>
public sealed class ModelFileMissingException(string file)
    : IOException(
        $"The preprocessing model file '{file}' is missing. Fetch it with ./sdxl models pull, or point the models folder to where it lies."
    )
{
    public string File { get; } = file;
}
