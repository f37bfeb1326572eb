using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Memory;

namespace Sdxl.Pictures.Decoding;

/// <summary>
/// ImageSharp's memory for everything but decoding: sheets, thumbnails, encoders. Its usual pool keeps up to an eighth of the machine's
/// memory; here it keeps 16 MiB and never gives out more than 1 GiB for one picture.
/// </summary>
internal static class ImageSharpMemory
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Must stand before any room makes its first picture, whichever that is.")]
    internal static void Bound() => Configuration.Default.MemoryAllocator =
        MemoryAllocator.Create(new MemoryAllocatorOptions { MaximumPoolSizeMegabytes = 16, AllocationLimitMegabytes = 1024 });
}
