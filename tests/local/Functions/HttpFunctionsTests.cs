using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

[Collection(nameof(SharedHost))]
public sealed class HttpFunctionsTests(SharedHost shared)
{
    private readonly TestHost app = shared.App;

    [Fact]
    public async Task A_function_gets_route_values_and_the_callers_own_address()
    {
        var answer = await app.Http.GetFromJsonAsync<JsonElement>("hello/world");
        Assert.Equal("world", answer.GetProperty("id").GetString());
        Assert.Equal(app.Http.BaseAddress!.Authority, answer.GetProperty("host").GetString());
        Assert.Equal("http", answer.GetProperty("scheme").GetString());
        Assert.Equal(app.Host.WorkerProcessId, answer.GetProperty("pid").GetInt32());
        Assert.NotEqual(Environment.ProcessId, app.Host.WorkerProcessId);
    }

    [Fact]
    public async Task Log_lines_of_the_app_arrive_with_category_and_invocation()
    {
        var line = app.Log.Line("hello to log-reader");
        await app.Http.GetAsync("hello/log-reader");
        Assert.Matches(@"^WorkerApp\.HttpFunctions: hello to log-reader \[[0-9a-f-]{36}\]", await line);
    }

    [Theory]
    [InlineData("GET", "nowhere", HttpStatusCode.NotFound)]
    [InlineData("GET", "../hello/outside-the-prefix", HttpStatusCode.NotFound)]
    [InlineData("POST", "hello/x", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "empty", HttpStatusCode.NoContent)]
    public async Task Routes_methods_and_empty_answers_are_told_apart(string method, string path, HttpStatusCode expected)
    {
        var answer = await app.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(expected, answer.StatusCode);
        if (expected == HttpStatusCode.MethodNotAllowed)
            Assert.Equal(["GET"], answer.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("throw")]
    [InlineData("refused")] // fails before the function, and so before the worker has joined request and invocation
    public async Task A_function_that_fails_answers_500_with_a_problem_at_once(string path)
    {
        var watch = Stopwatch.StartNew();
        var answer = await app.Http.GetAsync(path);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(500, problem.GetProperty("status").GetInt32());
        // For the log, not for the caller.
        Assert.DoesNotContain("on purpose", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}: the worker's own wait");
    }

    [Fact]
    public async Task A_failure_is_logged_with_its_reason()
    {
        var line = app.Log.Line("Function 'Throw' failed");
        await app.Http.GetAsync("throw");
        Assert.Contains("InvalidOperationException: thrown on purpose", await line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_40_MB_arrives_whole()
    {
        var bytes = new byte[40_000_000];
        new Random(1).NextBytes(bytes);
        var answer = await app.Http.PostAsync("upload", new ByteArrayContent(bytes));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(bytes)), await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Events_are_sent_as_they_are_written()
    {
        using var answer = await app.Http.GetAsync("events/live", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal("data: first", await reader.ReadLineAsync());
        await app.Set("go-live"); // only now can the second one be written
        Assert.Equal("\ndata: second\n\n", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task An_answer_that_fails_in_the_middle_is_cut_and_not_taken_for_whole()
    {
        await app.Set("go-broken");
        using var answer = await app.Http.GetAsync("events/broken", HttpCompletionOption.ResponseHeadersRead);
        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_body_reaches_the_function_while_it_is_still_being_sent()
    {
        using var body = new LineContent();
        var posting = app.Http.PostAsync("listen", body);
        await app.Signal("heard-one");
        Assert.False(posting.IsCompleted);
        body.End("two\n");
        await app.Signal("heard-two");
        Assert.Equal("3", await (await posting).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_caller_who_leaves_cancels_the_function()
    {
        using var leave = new CancellationTokenSource();
        var asking = app.Http.GetAsync("hang/leaver", leave.Token);
        await app.Signal("hanging-leaver");
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await app.Signal("cancelled-leaver");
    }

    /// <summary>A body whose first line is there and whose last one is written when the test says so.</summary>
    private sealed class LineContent : HttpContent
    {
        private readonly TaskCompletionSource<string> last = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public LineContent() => Headers.ContentType = new MediaTypeHeaderValue("text/plain");

        public void End(string text) => last.SetResult(text);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("one\n"u8.ToArray(), cancellationToken);
            // Small parts are sent together.
            await stream.WriteAsync(Encoding.UTF8.GetBytes(new string('-', 100_000) + "\n"), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(await last.Task.WaitAsync(cancellationToken)), cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
