using Sdxl.Tests;
using System.Text.Json;
using Sdxl.Diffusion.Optimizers;

namespace Sdxl.Diffusion.Tests.Optimizers;

public sealed class LearningRateScheduleGoldenTests
{
    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(TestPaths.Goldens, "lr-schedules*.json").Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_schedule_multiplies_the_rate_as_the_reference_does_at_every_step(string file)
    {
        var json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(TestPaths.Golden(file)));
        foreach (var kind in json.GetProperty("multipliers").EnumerateObject())
        {
            // The reference's 'constant' has no warm-up; ours has one when asked for.
            var warmup = kind.Name == "constant" ? 0 : json.GetProperty("warmup").GetInt32();
            var schedule = new LearningRateSchedule(
                kind.Name,
                warmup,
                json.GetProperty("total").GetInt32(),
                json.GetProperty("cycles_for_restarts").GetInt32(),
                json.GetProperty("power").GetDouble()
            );
            var step = 0;
            foreach (var expected in kind.Value.EnumerateArray())
                Close.To(expected.GetDouble(), schedule.Multiplier(step), 1e-9, $"{kind.Name} at step {step++}");
        }
    }

    [Fact]
    public void Constant_rises_through_a_warm_up_when_one_is_asked_for()
    {
        var schedule = new LearningRateSchedule("constant", 10, 100);
        Assert.Equal(0.3, schedule.Multiplier(3), 12);
        Assert.Equal(1, schedule.Multiplier(10));
    }

    [Fact]
    public void An_unknown_kind_is_named()
    {
        var error = Assert.Throws<ArgumentException>(() => new LearningRateSchedule("triangle", 0, 10).Multiplier(1));
        Assert.Contains("'triangle'", error.Message, StringComparison.Ordinal);
    }
}
