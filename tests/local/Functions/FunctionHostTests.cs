using System.Net;
using System.Net.Http.Json;
using Azure.Messaging.ServiceBus;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Local.Functions;

namespace Sdxl.Local.Tests.Functions;

public sealed class FunctionHostTests(FunctionHostFixture fixture) : IClassFixture<FunctionHostFixture>
{
    [Fact]
    public async Task A_route_binds_its_parts_to_parameters_under_the_prefix_api()
    {
        Assert.Equal(new Greeting("Hello Ann!", 3), await fixture.Http.GetFromJsonAsync<Greeting>("api/hello/Ann/3?mark=!"));
        Assert.Equal(new Greeting("Hello Ann", 1), await fixture.Http.GetFromJsonAsync<Greeting>("api/hello/Ann"));
        Assert.Equal(HttpStatusCode.NotFound, (await fixture.Http.GetAsync("hello/Ann")).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await fixture.Http.PostAsync("api/hello/Ann", null)).StatusCode);
    }

    [Fact]
    public async Task A_body_of_200_MB_arrives_and_one_over_250_MB_is_refused()
    {
        using var large = new ByteArrayContent(new byte[200 << 20]);
        var answer = await fixture.Http.PostAsync("api/Size", large);
        Assert.Equal($"{200 << 20} Size True", await answer.Content.ReadAsStringAsync());

        using var announced = new HttpRequestMessage(HttpMethod.Put, "api/Size") { Content = new ByteArrayContent(new byte[(250 << 20) + 1]) };
        announced.Headers.ExpectContinue = true; // so that the refusal arrives instead of a broken pipe
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await fixture.Http.SendAsync(announced)).StatusCode);
    }

    [Fact]
    public async Task A_function_that_throws_answers_500()
    {
        Assert.Equal(HttpStatusCode.InternalServerError, (await fixture.Http.GetAsync("api/Fails")).StatusCode);
    }

    [Fact]
    public async Task An_orchestration_is_started_by_HTTP_and_runs_activities()
    {
        var id = Guid.NewGuid().ToString("N");
        var accepted = await fixture.Http.PostAsync($"api/start/{id}", null);

        Assert.Equal((HttpStatusCode.Accepted, $"/status/{id}"), (accepted.StatusCode, accepted.Headers.Location!.ToString()));
        Assert.Equal($"{id}: you 0, {id}: you 1", await fixture.Http.GetStringAsync($"api/status/{id}"));
    }

    [Fact]
    public void Functions_that_cannot_be_hosted_are_refused_all_at_once()
    {
        var error = Assert.Throws<InvalidOperationException>(() => FunctionMethod.Discover("Bad", typeof(Bad)));

        Assert.Equal(
            "Bad cannot be hosted: function 'None' (Sdxl.Local.Tests.Functions.FunctionHostTests+Bad.None) has 0 trigger parameters, and needs exactly one; "
            + "the function name 'Twice' is used by Sdxl.Local.Tests.Functions.FunctionHostTests+Bad.First and Sdxl.Local.Tests.Functions.FunctionHostTests+Bad.Second.",
            error.Message);
    }

    [Theory]
    [InlineData("uploads/{name}", "a/b.zip", "name=a/b.zip")]
    [InlineData("uploads/{owner}/{name}.zip", "me/cat.v1.zip", "owner=me name=cat.v1")]
    [InlineData("uploads/{owner}/{name}.zip", "cat.zip", null)]
    [InlineData("uploads/{name}.zip", "cat.tar", null)]
    public void A_blob_path_matches_as_the_Functions_host_matches_it(string pattern, string blob, string? expected)
    {
        var match = new BlobPathPattern(pattern).Match(blob);

        Assert.Equal(expected, match is null ? null : string.Join(' ', match.Select(pair => $"{pair.Key}={pair.Value}")));
    }

    private static class Bad
    {
        [Function("None")]
        public static void None()
        {
        }

        [Function("Twice")]
        public static void First([HttpTrigger] HttpRequest request) => _ = request;

        [Function("Twice")]
        public static void Second([HttpTrigger] HttpRequest request) => _ = request;
    }
}

public sealed class BlobTriggerTests(FunctionHostFixture fixture) : IClassFixture<FunctionHostFixture>
{
    [Fact]
    public async Task Each_version_of_a_blob_starts_its_function_once_also_over_a_restart_and_a_broken_one_five_times()
    {
        var uploads = fixture.Storage.GetBlobContainerClient("uploads");
        await uploads.CreateAsync();
        await uploads.UploadBlobAsync("me/cat.v1.zip", BinaryData.FromString("first"));
        Assert.Equal(["me|cat.v1|zip|first"], await fixture.Log.Until(1));

        await uploads.GetBlobClient("me/cat.v1.zip").UploadAsync(BinaryData.FromString("second"), overwrite: true);
        Assert.Equal("me|cat.v1|zip|second", (await fixture.Log.Until(2))[1]);

        await fixture.RestartHost();
        await uploads.UploadBlobAsync("me/bad.zip", BinaryData.FromString("broken"));
        Assert.Equal(Enumerable.Repeat("failed bad", 5), await fixture.Log.Until(5));
        var texts = fixture.Storage.GetBlobContainerClient("texts");
        await texts.CreateAsync();
        await texts.UploadBlobAsync("note", BinaryData.FromString("later"));

        Assert.Equal("note=later", (await fixture.Log.Until(6))[^1]); // nothing of the old version or a sixth try in between
        Assert.Equal([("uploads/me/bad.zip", "on purpose")], fixture.Receipts.Poison());
    }
}

public sealed class ServiceBusTriggerTests(FunctionHostFixture fixture) : IClassFixture<FunctionHostFixture>
{
    [Fact]
    public async Task A_message_is_completed_when_its_function_returns_abandoned_when_it_throws_and_dead_lettered_in_the_end()
    {
        var sender = fixture.ServiceBus.CreateSender("jobs");
        await sender.SendMessageAsync(new ServiceBusMessage("""{"text":"once","times":1}"""));
        Assert.Equal(["once 1"], await fixture.Log.Until(1));

        await sender.SendMessageAsync(new ServiceBusMessage("""{"text":"twice","times":2}"""));
        Assert.Equal(["once 1", "twice 1", "twice 2"], await fixture.Log.Until(3));

        await sender.SendMessageAsync(new ServiceBusMessage("""{"text":"never","times":9}"""));
        Assert.Equal(["never 1", "never 2", "never 3", "dead MaxDeliveryCountExceeded"], (await fixture.Log.Until(7))[3..]);
    }

    [Fact]
    public async Task A_function_may_settle_its_message_itself()
    {
        await fixture.ServiceBus.CreateSender("own").SendMessageAsync(new ServiceBusMessage("x"));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (fixture.Broker.Count("own").Messages > 0)
            await Task.Delay(20, patience.Token);
    }
}
