using System.Text.Json.Nodes;
using Sdxl.Core.Accounts;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;
using Sdxl.Functions.Versions;

namespace Sdxl.Functions.Http;

/// <summary>The bodies that requests may have, as schemas of the API's document.</summary>
public static class ApiBodies
{
    public const string Training = "TrainingRequest", Prediction = "PredictionRequest", Model = "ModelRequest", File = "FileRequest",
        Token = "TokenRequest", Picture = "PictureChange", Search = "SearchText", Subscription = "SubscriptionRequest",
        Session = "SessionRequest";

    public static IReadOnlyDictionary<string, JsonObject> Schemas { get; } = new Dictionary<string, JsonObject>
    {
        [Training] = Object(
            ("input", InputSchemas.Inline("TrainingInput", [InputSchemas.ArchiveField, .. TrainingInputs.Fields])),
            ("name", Text("Name of the model; made if it is not there.")),
            ("destination", Text("owner/name, Replicate's word for it.")),
            ("base", Text("Base model's name; unset: the default.")),
            ("check", Text("Id of a check or training whose data set is taken in place of an archive.")),
            ("from", Text("A version of yours whose weights the training begins with; without archive and check on its own pictures.")),
            ("webhook", Text("Address that is told of it.", "uri")),
            ("webhook_events_filter", List("start", "output", "logs", "completed"))),
        [Prediction] = Object(
            ("version", Text("owner/name:id, owner/name or id.")),
            ("base", Text("Base model's name, where no version is given.")),
            ("input", InputSchemas.Inline("Input", PredictionInputs.Fields)),
            ("webhook", Text("Address that is told of it.", "uri")),
            ("webhook_events_filter", List("start", "output", "logs", "completed")),
            ("stream", new JsonObject { ["type"] = "boolean" })),
        [Model] = Object(
            ("owner", Text("Yours.")), ("name", Text("Unique among yours.")), ("visibility", Choice("public", "private")),
            ("hardware", Text("A sku of GET /v1/hardware.")), ("description", Text("")), ("github_url", Text("")), ("paper_url", Text("")),
            ("license_url", Text("")), ("cover_image_url", Text(""))),
        [File] = Object(
            ("content", new JsonObject { ["type"] = "string", ["format"] = "binary" }), ("metadata", Text("A JSON object.")),
            ("filename", Text("")), ("type", Text("Media type."))),
        [Token] = Object(
            ("name", Text("Where the token is used.")), ("scopes", List([.. Scopes.All])), ("expires_at", Text("", "date-time")),
            ("owner", Text("Whose token it is; unset: yours."))),
        [Picture] = Object(
            ("caption", Text("As it is trained; the trigger word is put in where it lacks.")),
            ("crop", Object(("x", Whole()), ("y", Whole()), ("size", Whole()))),
            ("mask", Text("A data URI or the url of a file; white is what counts.")),
            ("removed", new JsonObject { ["type"] = "boolean" })),
        [Session] = Object(("token", Text("An API token.")), ("code", Text("In its place: the code of a sign-in link."))),
        [Subscription] = Object(
            ("url", Text("Address that is posted to.", "uri")), ("types", List([.. Core.Events.EventTypes.All]))),
        [Search] = new JsonObject { ["type"] = "string" },
    };

    /// <summary>The media types in which a body may come.</summary>
    public static IReadOnlyList<string> MediaOf(string body) => body switch
    {
        File => ["multipart/form-data"],
        Training or Prediction => ["application/json", "multipart/form-data"],
        Search => ["text/plain"],
        _ => ["application/json"],
    };

    private static JsonObject Object(params (string Name, JsonObject Schema)[] properties) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(properties.Select(pair => KeyValuePair.Create(pair.Name, (JsonNode?)pair.Schema))),
    };

    private static JsonObject Text(string description, string? format = null)
    {
        var schema = new JsonObject { ["type"] = "string" };
        if (description.Length > 0)
            schema["description"] = description;
        if (format is not null)
            schema["format"] = format;
        return schema;
    }

    private static JsonObject Whole() => new() { ["type"] = "integer", ["minimum"] = 0 };

    private static JsonObject Choice(params string[] words) =>
        new() { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]) };

    private static JsonObject List(params string[] words) => new() { ["type"] = "array", ["items"] = Choice(words) };
}
