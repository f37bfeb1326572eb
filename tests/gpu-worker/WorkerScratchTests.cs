using Microsoft.Extensions.Options;
using Sdxl.GpuWorker.Hosting;

namespace Sdxl.Tests.GpuWorker;

public sealed class WorkerScratchTests
{
    [Fact]
    public void Two_workers_of_one_folder_do_not_share_their_files_and_a_freed_place_is_taken_again()
    {
        using var folder = new TempFolder();
        var options = Options.Create(new WorkerOptions { ScratchFolder = folder.Path });
        var first = new WorkerScratch(options);
        using var second = new WorkerScratch(options);
        Assert.Equal((folder.File("1"), folder.File("2")), (first.Folder, second.Folder));

        first.Dispose();
        using var third = new WorkerScratch(options);
        Assert.Equal(folder.File("1"), third.Folder);
    }
}
