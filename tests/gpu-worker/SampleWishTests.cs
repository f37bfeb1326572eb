using Sdxl.Core.Identity;
using Sdxl.Core.Storage;
using Sdxl.GpuWorker.Jobs;
using Sdxl.GpuWorker.Storage;

namespace Sdxl.Tests.GpuWorker;

/// <summary>The mark by which samples are asked for, in a real storage.</summary>
[Collection(StorageCollection.Name)]
public sealed class SampleWishTests(StorageFixture storage)
{
    private readonly JobKey _job = new("me", JobId.New());

    [Fact]
    public async Task A_mark_is_taken_once_and_goes_when_the_pictures_are_stored()
    {
        var wish = Wish();
        await wish.LookAsync(CancellationToken.None);
        Assert.False(wish.Take());

        await AskAsync();
        await wish.LookAsync(CancellationToken.None);
        Assert.True(wish.Take());
        Assert.True(await IsAskedAsync()); // a worker that is lost now leaves it to the next one

        await wish.LookAsync(CancellationToken.None); // while the pictures are drawn
        Assert.False(wish.Take());
        await wish.AnsweredAsync(CancellationToken.None);
        Assert.False(await IsAskedAsync());
    }

    [Fact]
    public async Task One_that_is_set_while_another_is_answered_is_answered_too()
    {
        var wish = Wish();
        await AskAsync();
        await wish.LookAsync(CancellationToken.None);
        Assert.True(wish.Take());

        await AskAsync();
        await wish.AnsweredAsync(CancellationToken.None);
        Assert.True(await IsAskedAsync());
        await wish.LookAsync(CancellationToken.None);
        Assert.True(wish.Take());
        await wish.AnsweredAsync(CancellationToken.None);
        Assert.False(await IsAskedAsync());
    }

    private SampleWish Wish() => new(new JobBlobs(storage.Service), _job);

    private Task AskAsync() => storage.WriteAsync(StorageLayout.Jobs, StorageLayout.SampleMark(_job));

    private async Task<bool> IsAskedAsync() => (await storage.NamesAsync(StorageLayout.Jobs, $"{_job}/")).Count > 0;
}
