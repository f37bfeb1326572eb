using Sdxl.Core.Bases;
using Sdxl.Functions.Hosting;

namespace Sdxl.Tests.Functions;

public sealed class PreparerPoolTests
{
    [Fact]
    public async Task All_activities_of_a_process_share_one_preparer_and_so_one_session_a_model()
    {
        using var pool = new PreparerPool();
        var manifest = BaseManifest.Load(TestPaths.Models, "toy");
        var preparers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => pool.For(manifest))));
        Assert.All(preparers, preparer => Assert.Same(preparers[0], preparer));
        Assert.Same(preparers[0], pool.For(BaseManifest.Load(TestPaths.Models, "toy")));
    }
}
