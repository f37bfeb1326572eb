using System.Globalization;
using Microsoft.Extensions.Options;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>
/// A folder below the setting's that is this process's alone: several workers of one machine, or one whose predecessor still finishes its step, do not write into
/// each other's files. The operating system takes the lock back however its owner ends.
/// </summary>
public sealed class WorkerScratch : IDisposable
{
    private const int MostWorkers = 64; // of one machine; beyond it something else is wrong, and the exception says what

    private readonly FileStream _lock;

    public WorkerScratch(IOptions<WorkerOptions> options)
    {
        for (var slot = 1; ; slot++)
        {
            Folder = Path.GetFullPath(Path.Combine(options.Value.ScratchFolder, slot.ToString(CultureInfo.InvariantCulture)));
            Directory.CreateDirectory(Folder); // what cannot be made at all throws here, with the path
            try
            {
                _lock = new FileStream(Path.Combine(Folder, "worker.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                return;
            }
            catch (IOException e) when (slot < MostWorkers && e is not (DirectoryNotFoundException or PathTooLongException))
            {
                // Another worker's: the next one.
            }
        }
    }

    public string Folder { get; }

    public void Dispose() => _lock.Dispose();
}
