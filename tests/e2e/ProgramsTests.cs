namespace Sdxl.EndToEnd.Tests;

/// <summary>What the host runs.</summary>
[Collection(SharedHostCollection.Name)]
public sealed class ProgramsTests(SharedHost shared)
{
    [Fact]
    public void What_runs_are_the_programs_that_are_deployed()
    {
        Assert.Single(shared.Host.Children("Sdxl.Functions.dll"));
        Assert.Single(shared.Host.Children("Sdxl.GpuWorker.dll"));
    }

    [Fact]
    public async Task The_apps_own_middleware_runs_around_its_functions()
    {
        var answer = await shared.Host.Http.GetAsync("v1/trainings");
        Assert.Matches("^[0-9a-f-]{36}$", Assert.Single(answer.Headers.GetValues("x-sdxl-invocation")));
    }
}
