namespace Sdxl.Core.Archives;

/// <summary>The archive formats that can be read, told by content and never by the file's name.</summary>
public enum ArchiveFormat
{
    Zip,
    Tar,
    TarGz,
}
