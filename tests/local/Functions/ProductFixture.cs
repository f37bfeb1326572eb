using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Trainings;
using Sdxl.Local.Broker;
using Sdxl.Local.Hosting;
using Sdxl.Tests;

namespace Sdxl.Local.Tests.Functions;

/// <summary>The product's functions on the local host, with a real Azurite, no worker, and a models folder of its own: the toy, and a base model "big" of whose files none is there.</summary>
public sealed class ProductFixture : HostFixture
{
    public string Models => Folder.File("models");

    /// <summary>The running app's settings; a test that changes one puts it back.</summary>
    public SdxlOptions Options => Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<SdxlOptions>>().Value;

    public override async Task InitializeAsync()
    {
        WriteModels();
        await StartStorageAsync(LocalQueues.All);
        foreach (var container in Core.Storage.StorageLayout.Containers)
            await Storage.GetBlobContainerClient(container).CreateIfNotExistsAsync();
        await StartHostAsync(typeof(UploadTrigger).Assembly, Path.Combine(TestPaths.Root, "host.json"), builder =>
        {
            ModelSettings.Apply(builder.Configuration, LocalArguments.Parse(["host", "--state", Folder.Path]));
            builder.Configuration["Sdxl:ModelsFolder"] = Models;
            builder.Logging.ClearProviders();
            builder.Services.AddSdxlFunctions(builder.Configuration);
        });
    }

    /// <summary>POSTs an archive with inputs as a form.</summary>
    public async Task<HttpResponseMessage> PostArchiveAsync(string path, byte[] archive, string name, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(archive), "input_images", name } };
        foreach (var (field, value) in fields)
            form.Add(new StringContent(value), field);
        return await Http.PostAsync(path, form);
    }

    public Task<HttpResponseMessage> PostAsync(string path, JsonObject body) =>
        Http.PostAsync(path, new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"));

    /// <summary>The problem+json's status and detail.</summary>
    public static async Task<(int Status, string Detail)> ProblemAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? ((int)answer.StatusCode, JsonNode.Parse(text)!["detail"]!.ToString())
            : ((int)answer.StatusCode, text);
    }

    /// <summary>The only training of that model name, once it is over.</summary>
    public async Task<JsonNode> EndOfUploadAsync(string model)
    {
        for (var waited = 0; waited < 600; waited++)
        {
            var list = JsonNode.Parse(await Http.GetStringAsync("api/trainings"))!["results"]!.AsArray();
            if (list.FirstOrDefault(t => t!["model"]!.ToString().EndsWith("/" + model, StringComparison.Ordinal)) is { } training && training["status"]!.ToString() is "failed" or "succeeded")
                return training;
            await Task.Delay(100);
        }
        throw new TimeoutException($"No training of '{model}' ended within 60 s.");
    }

    private void WriteModels()
    {
        Directory.CreateDirectory(Models);
        File.Copy(Path.Combine(TestPaths.Models, "toy.json"), Path.Combine(Models, "toy.json"));
        foreach (var part in Directory.GetDirectories(TestPaths.Models))
            File.CreateSymbolicLink(Path.Combine(Models, Path.GetFileName(part)), part);
        JsonObject Source(string into, params string[] files) => new()
        {
            ["repository"] = "owner/repo", ["revision"] = new string('a', 40), ["licence"] = "mit", ["licence_url"] = "https://example.org/", ["into"] = into,
            ["files"] = new JsonArray([.. files.Select(file => (JsonNode)new JsonObject { ["file"] = file })]),
        };
        var big = new JsonObject
        {
            ["name"] = "big", ["description"] = "d", ["model"] = "big/base", ["refiner"] = "big/refiner", ["vision"] = "big",
            ["training_defaults"] = new JsonObject { ["resolution"] = 64 }, ["prediction_defaults"] = new JsonObject(),
            ["sources"] = new JsonArray(
                Source("big/base", "unet/a.safetensors"), Source("big/refiner", "r.safetensors"), Source("big/safety_checker", "s.safetensors"),
                Source("big/blip", "text.onnx"), Source("big/clipseg", "model.onnx"), Source("big/yunet", "model.onnx")),
        };
        File.WriteAllText(Path.Combine(Models, "big.json"), big.ToJsonString());
    }
}

[CollectionDefinition(Name)]
public sealed class ProductCollection : ICollectionFixture<ProductFixture>
{
    public const string Name = "the product's functions";
}
