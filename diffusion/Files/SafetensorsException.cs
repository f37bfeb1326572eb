namespace Sdxl.Diffusion.Files;

/// <summary>
/// A weights file that cannot be trusted or does not fit. The message names the file, the tensor where there is one, what was expected,
/// what was found, and what to do.
/// </summary>
public sealed class SafetensorsException : IOException
{
    public SafetensorsException(string file, string problem)
        : base($"Weights file '{file}': {problem}") => File = file;

    public SafetensorsException(string file, string problem, Exception cause)
        : base($"Weights file '{file}': {problem}", cause) => File = file;

    /// <summary>Path (or display name) of the offending file.</summary>
    public string File { get; }
}
