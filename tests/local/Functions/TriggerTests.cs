using System.Globalization;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

[Collection(nameof(SharedHost))]
public sealed class TriggerTests(SharedHost shared)
{
    private readonly TestHost app = shared.App;

    [Fact]
    public async Task A_timer_fires_and_knows_its_next_time()
    {
        var next = DateTime.Parse(await app.Signal("tick"), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
        Assert.Equal(0, next.Ticks % TimeSpan.TicksPerSecond);
        Assert.True(next > DateTime.UtcNow.AddMinutes(-5) && next < DateTime.UtcNow.AddMinutes(5), next.ToString("O"));
    }

    [Fact]
    public async Task A_message_is_completed_when_its_function_returns()
    {
        await app.Bus.Send("good", "work", ("colour", "red"), ("size", 3));
        Assert.Equal("""work {"colour":"red","size":3}""", await app.Signal("received-good-1"));
        await app.Bus.Emptied();
    }

    [Fact]
    public async Task A_message_whose_function_fails_comes_again()
    {
        var logged = app.Log.Line("failed on message 'bad' of 'jobs', delivery 1");
        await app.Bus.Send("bad", "fail once");
        await app.Signal("received-bad-2");
        await app.Bus.Emptied();
        Assert.Contains("delivery 1 fails", await logged, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_letter_says_why_it_is_one()
    {
        await app.Bus.Send("dead", "fail");
        Assert.Equal(
            "fail: MaxDeliveryCountExceeded, Message could not be consumed after 2 delivery attempts.", await app.Signal("buried-dead"));
        await app.Bus.Emptied();
    }

    [Fact]
    public async Task A_trigger_that_cannot_be_connected_is_named_and_the_others_run()
    {
        var line = await app.Log.Line("Function 'Unconnected' cannot be triggered");
        Assert.Contains("setting 'MissingSetting' is missing", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_middleware_of_the_app_sees_every_kind_of_trigger()
    {
        await app.Http.GetAsync("hello/middleware");
        await app.Run("FanOut", 1);
        await app.Bus.Send("seen", "work");
        foreach (var function in (string[])["Hello", "FanOut", "Square", "Receive", "Tick"])
            Assert.True(Guid.TryParse(await app.Signal("middleware-" + function), out _));
    }
}
