using System.Net;
using System.Text.Json.Nodes;

namespace Sdxl.Tests.Functions;

[Collection(ProductCollection.Name)]
public sealed class HomeTests(ProductFixture product)
{
    [Fact]
    public async Task The_hosts_address_says_what_it_is_where_its_API_is_and_where_that_is_described()
    {
        using var answer = await product.Http.GetAsync("");

        Assert.Equal((HttpStatusCode.OK, "application/json"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        var home = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal("Sdxl.Serverless", home["name"]!.ToString());
        Assert.Contains($"{product.Http.BaseAddress}v1/trainings", home["api"]!["trainings"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("README.md", home["docs"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_address_is_not_taken_for_it()
    {
        using var answer = await product.Http.GetAsync("nothing");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task What_it_lists_is_what_the_app_serves()
    {
        var api = JsonNode.Parse(await product.Http.GetStringAsync(""))!["api"]!.AsObject();
        foreach (var (_, line) in api.Where(pair => pair.Value!.ToString().StartsWith("GET", StringComparison.Ordinal)))
        {
            var address = line!.ToString().Split(' ').First(word => word.StartsWith("http", StringComparison.Ordinal)).TrimEnd(',', ';');
            using var answer = await product.Http.GetAsync(
                address
                    .Replace("{id}", "x", StringComparison.Ordinal)
                    .Replace("{owner}", "x", StringComparison.Ordinal)
                    .Replace("{name}", "x", StringComparison.Ordinal)
            );
            // The list, or the API's own 404: not the host's empty one.
            Assert.NotEqual("", await answer.Content.ReadAsStringAsync());
        }
    }
}
