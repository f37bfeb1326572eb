using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;

namespace Sdxl.Tests.Functions;

/// <summary>The API's description, read by the library that generators use.</summary>
[Collection(ProductCollection.Name)]
public sealed class ApiDocumentTests(ProductFixture product)
{
    [Fact]
    public async Task The_document_is_read_without_an_error_or_a_warning_and_tells_every_route()
    {
        using var nobody = product.With(null);
        var read = OpenApiDocument.Parse(await nobody.GetStringAsync("v1/openapi.json"), "json");
        Assert.Empty(read.Diagnostic!.Errors.Select(e => e.ToString()));
        Assert.Empty(read.Diagnostic.Warnings.Select(e => e.ToString()));
        var told = read.Document!.Paths.SelectMany(path => path.Value.Operations!.Select(o => $"{o.Key.Method} {path.Key}"))
            .Order(StringComparer.Ordinal)
            .ToList();
        var served = TokenTests
            .HttpFunctions()
            .Where(f =>
                f.Trigger.Route!.StartsWith("v1/", StringComparison.Ordinal)
                && !f.Trigger.Route.Contains(":/", StringComparison.Ordinal)
                && !f.Trigger.Route.StartsWith("v1/v1/", StringComparison.Ordinal)
            )
            .SelectMany(f =>
                f.Trigger.Methods!.Where(verb => verb is not ("head" or "query"))
                    .Select(verb => $"{verb.ToUpperInvariant()} /{f.Trigger.Route!.Replace("{*", "{", StringComparison.Ordinal)}")
            )
            .Order(StringComparer.Ordinal)
            .ToList();
        Assert.Equal(served, told);
        var ids = read.Document.Paths.SelectMany(path => path.Value.Operations!.Values.Select(o => o.OperationId)).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    [Theory]
    [InlineData("training")]
    [InlineData("prediction")]
    public async Task A_form_can_be_made_of_the_inputs_schema(string kind)
    {
        var schema = JsonNode.Parse(await product.Http.GetStringAsync($"v1/schema/{kind}"))!;
        var fields = kind == "training" ? TrainingInputs.Fields : PredictionInputs.Fields;
        Assert.Equal(fields.Select(f => f.Name), schema["properties"]!.AsObject().Select(p => p.Key).Where(name => name != "input_images"));
        foreach (var field in fields)
        {
            var property = schema["properties"]![field.Name]!;
            Assert.NotNull(property["type"]);
            Assert.NotNull(property["x-group"]);
            Assert.Equal(field.Description, property["description"]!.ToString());
            Assert.Equal(field.Choices ?? [], property["enum"]?.AsArray().Select(c => c!.ToString()) ?? []);
        }
        Assert.Equal(422, (int)(await product.Http.GetAsync($"v1/schema/{kind}?base=none")).StatusCode);
    }
}
