using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Accounts;
using Sdxl.Functions.Hosting;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Http;

/// <summary>The API's own description, and the inputs of trainings and predictions as JSON schemas: a form can be made of them.</summary>
public sealed class SchemaApi(BaseCatalog bases, Addresses addresses)
{
    /// <summary>Files of a version that hold the LoRA: trained_model.tar, kohya's, PEFT's.</summary>
    private const int LoraFiles = 3;

    /// <summary>
    /// ?base=NAME gives that base model's defaults, and what a kept checkpoint takes: bytes by lora_targets, for each rank.
    /// </summary>
    [Function("GetTrainingSchema")]
    [Operation("The inputs of trainings as a JSON schema.", Gives = typeof(JsonObject), Query = "base")]
    public IActionResult Training(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/schema/training")] HttpRequest request)
    {
        var of = BaseOf(request);
        var schema = InputSchemas.Inline("TrainingInput", [InputSchemas.ArchiveField, .. TrainingInputs.Fields], of.TrainingDefaults);
        if (of.LoraBytesPerRank.Count > 0)
        {
            schema["properties"]!["keep_checkpoints"]!["x-bytes-per-rank"] = new JsonObject(
                of.LoraBytesPerRank.Select(size => KeyValuePair.Create(size.Key, (JsonNode?)(LoraFiles * size.Value))));
        }
        return Answers.Tagged(request, schema);
    }

    /// <inheritdoc cref="Training"/>
    [Function("GetPredictionSchema")]
    [Operation("The inputs of predictions as a JSON schema.", Gives = typeof(JsonObject), Query = "base")]
    public IActionResult Prediction(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/schema/prediction")] HttpRequest request) => Answers.Tagged(
            request, InputSchemas.Inline("Input", PredictionInputs.Fields, BaseOf(request).PredictionDefaults));

    [Function("GetOpenApi")]
    [OpenToAll("it says what anybody can read in the repository")]
    [Operation("This document.", Gives = typeof(JsonObject))]
    public IActionResult OpenApi(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", "head", Route = "v1/openapi.json")] HttpRequest request) =>
        Answers.Tagged(request, ApiDocument.For(addresses.RootOf(request)));

    private Core.Bases.BaseManifest BaseOf(HttpRequest request)
    {
        try
        {
            return bases.Get(request.Query["base"]);
        }
        catch (Core.Bases.BaseNotFoundException e)
        {
            throw new IntakeException([new IntakeProblem("base", e.Message, 422)]);
        }
    }
}
