using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sdxl.GpuWorker.Jobs;

namespace Sdxl.GpuWorker.Hosting;

/// <summary>
/// A folder below the setting's that is this process's alone: several workers of one machine, or one whose predecessor still finishes its
/// step, do not write into each other's files. The operating system takes the lock back however its owner ends. What lies in it is bounded:
/// what was used longest ago goes first.
/// </summary>
/// <remarks>trainings/{id}, versions/{id} and predictions/{id} are its parts; each is needed nowhere else and can be brought
/// again.</remarks>
public sealed class WorkerScratch : IDisposable
{
    private const int MostWorkers = 64; // of one machine; beyond it something else is wrong, and the exception says what
    private const string UsedMark = ".used"; // its time of writing says when a part was used last

    private readonly FileStream _lock;
    private readonly long _mostBytes;
    private readonly ILogger _log;

    public WorkerScratch(IOptions<WorkerOptions> options, ILogger<WorkerScratch> log)
    {
        (_mostBytes, _log) = (options.Value.ScratchBytes, log);
        for (var slot = 1; ; slot++)
        {
            Folder = Path.GetFullPath(Path.Combine(options.Value.ScratchFolder, slot.ToString(CultureInfo.InvariantCulture)));
            Directory.CreateDirectory(Folder); // what cannot be made at all throws here, with the path
            try
            {
                _lock = new FileStream(Path.Combine(Folder, "worker.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                break;
            }
            catch (IOException e) when (slot < MostWorkers && e is not (DirectoryNotFoundException or PathTooLongException))
            {
                // Another worker's: the next one.
            }
        }
        // Of a process that was killed: a prediction begins anew anyway.
        if (Directory.Exists(Path.Combine(Folder, "predictions")))
            Directory.Delete(Path.Combine(Folder, "predictions"), recursive: true);
        MakeRoom(0, "");
    }

    public string Folder { get; }

    /// <summary>A part of the scratch, made if it is missing; its use is noted.</summary>
    /// <param name="kind">trainings, versions, predictions.</param>
    public string Use(string kind, string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, kind, name)).FullName;
        File.WriteAllBytes(Path.Combine(folder, UsedMark), []);
        return folder;
    }

    /// <summary>
    /// Removes the parts that were used longest ago, until what stays and <paramref name="bytesToCome"/> are within the limit.
    /// </summary>
    /// <param name="keep">Name of the part that is in use.</param>
    public void MakeRoom(long bytesToCome, string keep)
    {
        var parts = Directory.GetDirectories(Folder).SelectMany(Directory.GetDirectories)
            .Select(folder => (Folder: folder, Used: LastUsed(folder), Bytes: SizeOf(folder))).OrderBy(part => part.Used).ToList();
        var left = parts.Sum(part => part.Bytes);
        foreach (var (folder, used, bytes) in parts)
        {
            if (left <= _mostBytes && bytesToCome <= _mostBytes - left)
                return;
            if (Path.GetFileName(folder) == keep)
                continue;
            Directory.Delete(folder, recursive: true);
            left -= bytes;
            _log.ScratchRemoved(folder, bytes >> 20, used);
        }
    }

    /// <summary>What the user reads when a job does not fit even into an empty scratch.</summary>
    public string FullSentence()
    {
        var drive = new DriveInfo(Folder);
        return string.Create(
                CultureInfo.InvariantCulture,
                $"The GPU worker's disk is full: {drive.AvailableFreeSpace >> 20} of {drive.TotalSize >> 20} MiB are free at {Folder}, and "
                    + $"the job needs more. "
            )
            + "Give the worker a larger disk (setting Sdxl__ScratchFolder names the place; a full fine-tune of SDXL needs about 130 GB), "
            + "or train a LoRA, then start again.";
    }

    public void Dispose() => _lock.Dispose();

    private static DateTimeOffset LastUsed(string folder)
    {
        var mark = new FileInfo(Path.Combine(folder, UsedMark));
        return mark.Exists ? mark.LastWriteTimeUtc : Directory.GetLastWriteTimeUtc(folder);
    }

    private static long SizeOf(string folder) =>
        new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
