using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Functions.Accounts;

namespace Sdxl.Tests.Functions;

/// <summary>Who may do what: no route without a token, no token beyond its scopes and its time.</summary>
[Collection(ProductCollection.Name)]
public sealed class TokenTests(ProductFixture product)
{
    /// <summary>Whoever adds one says why in its attribute, and here.</summary>
    private static readonly string[] s_open =
    [
        "AccountPage",
        "BeginSession",
        "CheckPage",
        "DoubledVersion",
        "DrawingPage",
        "EmbeddedHttp",
        "EmbeddedHttps",
        "EndSession",
        "GetOpenApi",
        "GetOutput",
        "Home",
        "ModelPage",
        "ModelsPage",
        "PageFile",
        "PlayPage",
        "PredictionPage",
        "SignInPage",
        "StreamPrediction",
        "TrainingPage",
        "TrainingsPage",
    ];

    public static TheoryData<string, string, string> Routes()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var (name, _, trigger) in HttpFunctions())
        {
            foreach (var verb in trigger.Methods ?? [])
                data.Add(name, verb.ToUpperInvariant(), Regex.Replace(trigger.Route!, @"\{[^}]*\}", "x"));
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task No_function_is_reached_without_a_token_but_those_that_say_that_they_are_open(
        string function,
        string verb,
        string path
    )
    {
        using var nobody = product.With(null);
        using var request = new HttpRequestMessage(new HttpMethod(verb), path);
        using var answer = await nobody.SendAsync(request);
        using var forged = product.With("sdxl_" + new string('a', 52));
        using var second = await forged.GetAsync("v1/account");

        Assert.Equal(HttpStatusCode.Unauthorized, second.StatusCode);
        if (s_open.Contains(function))
        {
            Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
            return;
        }
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        if (verb != "HEAD")
            Assert.Equal("Unauthenticated", JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["title"]!.ToString());
    }

    [Fact]
    public void The_functions_that_are_open_are_these() => Assert.Equal(
        s_open, HttpFunctions().Where(f => IsOpen(f.Method)).Select(f => f.Name).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Token")]
    [InlineData("bearer")]
    public async Task Both_words_of_Replicates_clients_are_understood(string word)
    {
        using var client = product.With(null);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            word,
            product.Http.DefaultRequestHeaders.Authorization!.Parameter
        );
        Assert.Equal("me", JsonNode.Parse(await client.GetStringAsync("v1/account"))!["username"]!.ToString());
    }

    [Fact]
    public async Task A_token_is_shown_once_listed_without_itself_and_worth_nothing_when_it_is_revoked()
    {
        var made = await product.TokenAsync(new JsonObject { ["name"] = "laptop" });
        using var client = product.With(made["token"]!.ToString());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("v1/hardware")).StatusCode);

        var list = await product.Http.GetStringAsync("v1/tokens");
        Assert.Contains(made["id"]!.ToString(), list, StringComparison.Ordinal);
        Assert.DoesNotContain(made["token"]!.ToString(), list, StringComparison.Ordinal);
        await foreach (var blob in product.Storage.GetBlobContainerClient("records").GetBlobsAsync())
        {
            var text = (
                await product.Storage.GetBlobContainerClient("records").GetBlobClient(blob.Name).DownloadContentAsync()
            ).Value.Content.ToString();
            Assert.DoesNotContain(made["token"]!.ToString(), blob.Name + text, StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.NoContent, (await product.Http.DeleteAsync($"v1/tokens/{made["id"]}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("v1/hardware")).StatusCode);
    }

    [Fact]
    public async Task A_token_does_what_its_scopes_say_and_no_more()
    {
        using var reader = product.With(
            (await product.TokenAsync(new JsonObject { ["name"] = "r", ["scopes"] = new JsonArray("read") }))["token"]!.ToString()
        );
        using var writer = product.With(
            (await product.TokenAsync(new JsonObject { ["name"] = "w", ["scopes"] = new JsonArray("write") }))["token"]!.ToString()
        );

        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync("v1/trainings")).StatusCode);
        Assert.Equal(
            (403, "This token may read; POST /v1/files needs the scope 'write'."),
            await ProductFixture.ProblemAsync(await reader.PostAsync("v1/files", null))
        );
        Assert.Equal(422, (int)(await writer.PostAsync("v1/files", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await writer.GetAsync("v1/trainings")).StatusCode);
        Assert.Equal(
            (403, "This token may read; GET /v1/tokens needs the scope 'tokens'."),
            await ProductFixture.ProblemAsync(await reader.GetAsync("v1/tokens"))
        );
        Assert.Equal(HttpStatusCode.Forbidden, (await writer.DeleteAsync("v1/tokens/x")).StatusCode);
    }

    [Theory]
    [InlineData("""{"name": ""}""", "'name' must have 1 to 100 characters")]
    [InlineData("""{"name": "x", "scopes": ["all"]}""", "'scopes' must be a list of some of read, write, tokens.")]
    [InlineData("""{"name": "x", "expires_at": "2001-01-01T00:00:00Z"}""", "'expires_at' must be a time to come")]
    [InlineData("""{"name": "x", "owner": "_tokens"}""", "'owner' is '_tokens'")]
    [InlineData("""{"name": "x", "owner": "a/b"}""", "'owner' is 'a/b'")]
    public async Task A_token_that_makes_no_sense_is_refused(string body, string reason)
    {
        var (status, detail) = await ProductFixture.ProblemAsync(await product.PostAsync("v1/tokens", JsonNode.Parse(body)!.AsObject()));
        Assert.Equal(422, status);
        Assert.StartsWith(reason, detail, StringComparison.Ordinal);
    }

    internal static bool IsOpen(MethodInfo function) => function.GetCustomAttribute<OpenToAllAttribute>() is not null;

    internal static IEnumerable<(string Name, MethodInfo Method, HttpTriggerAttribute Trigger)> HttpFunctions() =>
        from type in typeof(TokenMiddleware).Assembly.GetExportedTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        let function = method.GetCustomAttribute<FunctionAttribute>()
        where function is not null
        let trigger = method
            .GetParameters()
            .Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>())
            .FirstOrDefault(found => found is not null)
        where trigger is not null
        select (function.Name, method, trigger);
}
