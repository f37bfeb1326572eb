using Sdxl.Core.Workers;

namespace Sdxl.Tests.GpuWorker;

public sealed class WorkerEnvironmentTests
{
    [Fact]
    public void The_container_starts_its_worker_with_the_same_variables_as_the_local_host()
    {
        var dockerfile = File.ReadAllText(Path.Combine(TestPaths.Root, "gpu-worker", "Dockerfile"));
        var set = dockerfile
            .Split('\n')
            .Where(l => l.StartsWith("ENV ", StringComparison.Ordinal))
            .SelectMany(l => l["ENV ".Length..].Split(' '))
            .ToHashSet();
        foreach (var (name, value) in WorkerEnvironment.Variables)
            Assert.Contains($"{name}={value}", set);
    }

    [Fact]
    public void What_the_user_has_set_stays()
    {
        var environment = new Dictionary<string, string?> { ["MALLOC_ARENA_MAX"] = "8" };
        WorkerEnvironment.AddTo(environment);
        Assert.Equal("8", environment["MALLOC_ARENA_MAX"]);
        Assert.Equal("PASSIVE", environment["OMP_WAIT_POLICY"]);
    }
}
