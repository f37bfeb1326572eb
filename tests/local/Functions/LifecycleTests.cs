using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net;
using System.Text.Json;
using Sdxl.Local.Functions;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Functions;

/// <summary>Workers and hosts that start slowly, die and stop; each test with a host of its own.</summary>
public sealed class LifecycleTests
{
    [Fact]
    public async Task A_worker_killed_in_the_middle_is_replaced_and_orchestrations_go_on()
    {
        await using var app = await TestHost.StartAsync();
        var marker = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString());
        var asking = app.Http.GetAsync("hang/victim");
        await app.Start("Survivor", "survivor", marker);
        await app.Signal("hanging-victim");
        await app.Signal("hanging-activity");
        var first = app.Host.WorkerProcessId!.Value;

        using (var worker = Process.GetProcessById(first))
            worker.Kill();

        using var answer = await asking;
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("'Hang'", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var second = (await app.Http.GetFromJsonAsync<JsonElement>("hello/again")).GetProperty("pid").GetInt32(); // waits for it
        Assert.NotEqual(first, second);
        Assert.Equal($"done by {second}", (await app.End("survivor")).Result<string>());
        await app.Log.Line($"The functions worker (process {first}) ended with code 137; it is started again in 0.2 s.");
        File.Delete(marker);
    }

    [Fact]
    public async Task Requests_wait_for_a_worker_that_starts_slowly()
    {
        using var gate = new TcpListener(IPAddress.Loopback, 0);
        gate.Start();
        await using var app = await TestHost.StartAsync(options => Gated(options, gate), waitUntilReady: false);
        var asking = app.Http.GetAsync("hello/early");
        using var worker = await gate.AcceptTcpClientAsync();
        Assert.False(asking.IsCompleted);
        Assert.Null(app.Host.WorkerProcessId);
        worker.GetStream().WriteByte(1);
        Assert.Equal(HttpStatusCode.OK, (await asking).StatusCode);
    }

    [Fact]
    public async Task Requests_that_have_waited_long_enough_are_answered_503_and_the_host_can_stop_all_the_same()
    {
        using var gate = new TcpListener(IPAddress.Loopback, 0);
        gate.Start();
        var app = await TestHost.StartAsync(
            options => Gated(options, gate) with { WorkerPatience = TimeSpan.FromMilliseconds(200) }, waitUntilReady: false);
        using var answer = await app.Http.GetAsync("hello/early");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.NotNull(answer.Headers.RetryAfter);
        using var worker = await gate.AcceptTcpClientAsync();
        await app.DisposeAsync();
        Assert.Equal(0, await worker.GetStream().ReadAsync(new byte[1])); // its process is gone
    }

    [Fact]
    public async Task An_app_that_ends_at_its_start_is_told_and_tried_again()
    {
        await using var app = await TestHost.StartAsync(
            options => options with { AppDll = typeof(LifecycleTests).Assembly.Location, WorkerPatience = TimeSpan.FromSeconds(1) },
            waitUntilReady: false);
        await app.Log.Line("did not get ready: It ended before it connected; what it wrote stands above.");
        await app.Log.Line("ended with code 2; it is started again in 0.2 s.");
        await app.Log.Line("ended with code 2; it is started again in 0.4 s.");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await app.Http.GetAsync("hello/x")).StatusCode);
    }

    [Fact]
    public async Task An_app_that_is_not_there_is_named()
    {
        var failure = await Assert.ThrowsAsync<FileNotFoundException>(
            () => TestHost.StartAsync(options => options with { AppDll = "/nowhere/App.dll" }));
        Assert.Contains("'/nowhere/App.dll' is not there", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_taken_is_named()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var failure = await Assert.ThrowsAsync<IOException>(
            () => TestHost.StartAsync(options => options with { Url = "http://" + other.LocalEndpoint }));
        Assert.Contains(other.LocalEndpoint.ToString()!, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_stops_lets_a_running_function_end_and_cancels_one_that_does_not()
    {
        var app = await TestHost.StartAsync(
            options => With(options, "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "1000") with { StopPatience = TimeSpan.FromSeconds(3) });
        using var tooLarge = new ByteArrayContent(new byte[1001]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await app.Http.PostAsync("upload", tooLarge)).StatusCode);
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "upload")
        {
            Content = tooLarge,
            Headers = { TransferEncodingChunked = true },
        };
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await app.Http.SendAsync(chunked)).StatusCode);
        using var worker = Process.GetProcessById(app.Host.WorkerProcessId!.Value);

        using var events = await app.Http.GetAsync("events/last", HttpCompletionOption.ResponseHeadersRead);
        var releasing = app.Http.GetAsync("signals/nobody-sets-this");
        var hanging = app.Http.GetAsync("hang/stubborn");
        await app.Signal("hanging-stubborn");
        await app.Start("Approval", "left-behind");
        await app.Set("go-last");
        var stopping = app.Host.DisposeAsync().AsTask();

        Assert.EndsWith("data: second\n\n", await events.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await app.Log.Line("2 function invocations did not end within 3 s and are cancelled.");
        Assert.Equal(HttpStatusCode.InternalServerError, (await hanging).StatusCode);
        Assert.Equal(HttpStatusCode.InternalServerError, (await releasing).StatusCode);
        await stopping.WaitAsync(TestHost.Patience);
        Assert.True(worker.WaitForExit(0));
        await Assert.ThrowsAsync<HttpRequestException>(() => app.Http.GetAsync("hello/late"));
        await app.DisposeAsync();
    }

    [Fact]
    public async Task A_host_killed_with_9_leaves_no_worker_behind()
    {
        using var folder = new TempFolder();
        using var host = ChildProgram.Start("functions-host", folder.File("orchestrations.db"));
        var line = await host.StandardOutput.ReadLineAsync().WaitAsync(TestHost.Patience);
        using var worker = Process.GetProcessById(int.Parse(line!, CultureInfo.InvariantCulture));
        Assert.False(worker.HasExited);
        host.Kill();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await worker.WaitForExitAsync(patience.Token);
        await host.WaitForExitAsync(patience.Token);
    }

    private static FunctionsHostOptions Gated(FunctionsHostOptions options, TcpListener gate) =>
        With(options, "START_GATE", ((IPEndPoint)gate.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture));

    private static FunctionsHostOptions With(FunctionsHostOptions options, string setting, string value) =>
        options with { Settings = new Dictionary<string, string>(options.Settings) { [setting] = value } };
}
