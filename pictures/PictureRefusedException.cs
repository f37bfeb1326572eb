namespace Sdxl.Pictures;

/// <summary>
/// A file that is not used as a picture. The message is one sentence for the person who uploaded it and names the file; Reason is the
/// sentence without the name.
/// </summary>
public sealed class PictureRefusedException(string name, string reason, Exception? inner = null)
    : Exception($"{name}: {reason}", inner)
{
    public string Name { get; } = name;

    public string Reason { get; } = reason;
}
