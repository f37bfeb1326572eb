using System.Runtime.CompilerServices;
using TorchSharp;

namespace Sdxl.Diffusion.Tests;

/// <summary>
/// libtorch's threads are the whole process's, sums are split among them, and the trainings here set them: from the first test on they are
/// the number that those set, or a training beside it would change the last bits of a picture while another test compares it.
/// </summary>
internal static class OneThread
{
    [ModuleInitializer]
    internal static void Set() => torch.set_num_threads(1);
}
