using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Sdxl.Core.Hosting;

// How long GET v1/trainings/{id} takes while 200 clients ask once a second for 20 trainings that wait for a worker. Argument: seconds that
// are timed.
const int Pollers = 200;
const int Trainings = 20;
var timed = TimeSpan.FromSeconds(
    args is [var given] && double.TryParse(given, CultureInfo.InvariantCulture, out var seconds) ? seconds : 30
);
var burnIn = TimeSpan.FromSeconds(5);
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var root = Repository.Required;
var state = Directory.CreateTempSubdirectory("sdxl-bench-api-").FullName;
var start = new ProcessStartInfo("dotnet",
    [Repository.Program(root, "local", "Sdxl.Local"), "--state", state, "--no-worker", "--end-with-input"])
{
    RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = root,
};
using var host = Process.Start(start)!;
host.OutputDataReceived += (_, _) => { };
host.BeginOutputReadLine();
try
{
    var file = await HostFileAsync();
    using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Pollers }) { BaseAddress = file.Url };
    http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", file.Token);
    var ids = await QueueAsync(http);

    var (latencies, errors) = (new ConcurrentBag<double>(), 0);
    var clock = Stopwatch.StartNew();
    await Task.WhenAll(Enumerable.Range(0, Pollers).Select(async poller =>
    {
        await Task.Delay(poller * 1000 / Pollers); // they do not ask in step
        using var every = new PeriodicTimer(TimeSpan.FromSeconds(1));
        do
        {
            var asked = Stopwatch.GetTimestamp();
            using var answer = await http.GetAsync($"v1/trainings/{ids[poller % ids.Count]}");
            await answer.Content.ReadAsByteArrayAsync();
            if (!answer.IsSuccessStatusCode)
                Interlocked.Increment(ref errors);
            if (clock.Elapsed > burnIn)
                latencies.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        }
        while (clock.Elapsed < burnIn + timed && await every.WaitForNextTickAsync());
    }));
    var sorted = latencies.Order().ToList();
    Console.WriteLine(
        $"{Environment.ProcessorCount} cores, .NET {Environment.Version}; {Pollers} pollers at 1 Hz, {Trainings} queued trainings, "
            + $"{timed.TotalSeconds:0} s"
    );
    Console.WriteLine(
        $"GET v1/trainings/ID: {sorted.Count / timed.TotalSeconds:0} a second, {errors} errors; ms: p50 {At(0.5):0.0}, p90 {At(0.9):0.0}, "
            + $"p99 {At(0.99):0.0}, most {sorted[^1]:0.0}"
    );
    return errors == 0 ? 0 : 1;

    double At(double part) => sorted[(int)(part * (sorted.Count - 1))];
}
finally
{
    host.StandardInput.Close();
    if (!host.WaitForExit(TimeSpan.FromSeconds(60)))
        host.Kill(entireProcessTree: true);
    Directory.Delete(state, recursive: true);
}

async Task<List<string>> QueueAsync(HttpClient http)
{
    var archive = await File.ReadAllBytesAsync(Path.Combine(root, "examples", "gizmo.zip"));
    var ids = new List<string>();
    for (var i = 0; i < Trainings; i++)
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(archive), "input_images", "gizmo.zip" },
            { new StringContent($"bench-{i}"), "name" },
            { new StringContent("64"), "resolution" },
        };
        using var made = await http.PostAsync("v1/trainings", form);
        ids.Add(JsonNode.Parse(await made.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["id"]!.ToString());
    }
    foreach (var id in ids)
    {
        while (JsonNode.Parse(await http.GetStringAsync($"v1/trainings/{id}"))!["stage"]!.ToString() != "train")
            await Task.Delay(500);
    }
    return ids;
}

async Task<HostFile> HostFileAsync()
{
    for (var waited = 0; waited < 600; waited++)
    {
        if (host.HasExited)
            throw new InvalidOperationException($"The host ended: {await host.StandardError.ReadToEndAsync()}");
        if (HostFile.TryRead(state) is { } file)
            return file;
        await Task.Delay(200);
    }
    throw new TimeoutException("The host did not start within two minutes.");
}
