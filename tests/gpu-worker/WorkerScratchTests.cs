using Microsoft.Extensions.Logging.Abstractions;
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
        var first = new WorkerScratch(options, NullLogger<WorkerScratch>.Instance);
        using var second = new WorkerScratch(options, NullLogger<WorkerScratch>.Instance);
        Assert.Equal((folder.File("1"), folder.File("2")), (first.Folder, second.Folder));

        first.Dispose();
        using var third = new WorkerScratch(options, NullLogger<WorkerScratch>.Instance);
        Assert.Equal(folder.File("1"), third.Folder);
    }

    [Fact]
    public void What_was_used_longest_ago_goes_first_until_the_rest_fits_and_what_is_in_use_stays()
    {
        using var folder = new TempFolder();
        var options = Options.Create(new WorkerOptions { ScratchFolder = folder.Path, ScratchBytes = 250 });
        using var scratch = new WorkerScratch(options, NullLogger<WorkerScratch>.Instance);
        var (old, middle, busy, young) = (Part("old", 4), Part("middle", 3), Part("busy", 5), Part("young", 1));

        scratch.MakeRoom(0, "busy");

        Assert.Equal(
            (false, false, true, true),
            (Directory.Exists(old), Directory.Exists(middle), Directory.Exists(busy), Directory.Exists(young))
        );

        string Part(string name, int hoursAgo)
        {
            var part = scratch.Use("trainings", name);
            File.WriteAllBytes(Path.Combine(part, "content"), new byte[100]);
            File.SetLastWriteTimeUtc(Path.Combine(part, ".used"), DateTime.UtcNow.AddHours(-hoursAgo));
            return part;
        }
    }

    [Fact]
    public void A_start_removes_what_a_killed_process_left_of_predictions_and_keeps_trainings_to_go_on_with()
    {
        using var folder = new TempFolder();
        var options = Options.Create(new WorkerOptions { ScratchFolder = folder.Path });
        string training, prediction;
        using (var killed = new WorkerScratch(options, NullLogger<WorkerScratch>.Instance))
            (training, prediction) = (killed.Use("trainings", "a"), killed.Use("predictions", "b"));

        using var next = new WorkerScratch(options, NullLogger<WorkerScratch>.Instance);

        Assert.Equal((true, false), (Directory.Exists(training), Directory.Exists(prediction)));
    }
}
