using System.Text.Json.Nodes;
using Sdxl.Core.Inputs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;

namespace Sdxl.Functions.Versions;

/// <summary>
/// Inputs as JSON schemas, in the dialect of OpenAPI 3.0 that Replicate's command line reads: a type is one word, a choice is a $ref with
/// the default beside it, what has no default has none, and the order is x-order.
/// </summary>
public static class InputSchemas
{
    private static readonly string[] s_links = ["image", "mask", "replicate_weights", "input_images"];

    /// <summary>The input that brings the pictures: an address, for those who send it as JSON.</summary>
    public static InputField ArchiveField { get; } = new(
        "input_images", InputType.String, null, "A zip or tar of pictures: an address, a data URI, or the url of a file sent to v1/files.");

    /// <summary>components.schemas of a version.</summary>
    /// <param name="predictions">The base model's own defaults of predictions.</param>
    /// <param name="trainings">Likewise of trainings; null: the version is not one to train on.</param>
    public static JsonObject Components(JsonObject predictions, JsonObject? trainings)
    {
        var schemas = new JsonObject
        {
            ["Input"] = Schema("Input", PredictionInputs.Fields, predictions, []),
            ["Output"] = new JsonObject
            {
                ["type"] = "array",
                ["title"] = "Output",
                ["items"] = new JsonObject { ["type"] = "string", ["format"] = "uri" },
            },
        };
        AddChoices(schemas, PredictionInputs.Fields);
        if (trainings is null)
            return schemas;
        schemas["TrainingInput"] = Schema("TrainingInput", [ArchiveField, .. TrainingInputs.Fields], trainings, [ArchiveField.Name]);
        schemas["TrainingOutput"] = new JsonObject
        {
            ["type"] = "object",
            ["title"] = "TrainingOutput",
            ["required"] = new JsonArray("version"),
            ["properties"] = new JsonObject
            {
                ["version"] = new JsonObject { ["type"] = "string", ["title"] = "Version" },
                ["weights"] = new JsonObject { ["type"] = "string", ["title"] = "Weights", ["format"] = "uri" },
            },
        };
        AddChoices(schemas, TrainingInputs.Fields);
        return schemas;
    }

    /// <summary>The document that stands in a version as openapi_schema.</summary>
    public static JsonObject Document(JsonObject predictions, JsonObject? trainings) => new()
    {
        ["openapi"] = "3.0.2",
        ["info"] = new JsonObject { ["title"] = "Sdxl.Serverless", ["version"] = "1.0.0" },
        ["paths"] = new JsonObject(),
        ["components"] = new JsonObject { ["schemas"] = Components(predictions, trainings) },
    };

    /// <summary>One schema that needs no other: choices stand where they are used.</summary>
    /// <param name="defaults">A base model's own; null: the general ones.</param>
    public static JsonObject Inline(string title, IReadOnlyList<InputField> fields, JsonObject? defaults = null)
    {
        var schema = Schema(title, fields, defaults ?? [], []);
        foreach (var field in fields)
        {
            var property = schema["properties"]![field.Name]!.AsObject();
            property["x-group"] = GroupOf(field.Name);
            if (!property.Remove("allOf"))
                continue;
            property["type"] = TypeOf(field);
            property["enum"] = Choices(field);
        }
        return schema;
    }

    /// <summary>What stands together in a form.</summary>
    private static string GroupOf(string name) => name switch
    {
        "prompt" or "negative_prompt" or "num_outputs" or "seed" or "input_images" or "max_train_steps" or "token_string" or "resolution"
            or "mask_target_prompts" => "basics",
        "width" or "height" or "image" or "mask" or "prompt_strength" => "picture",
        "caption_prefix" or "crop_based_on_salience" or "use_face_detection_instead" or "clipseg_temperature" or "input_images_filetype"
            => "data set",
        "sample_prompts" or "sample_every_steps" or "keep_checkpoints" or "held_out_pictures" or "checkpointing_steps" or "verbose"
            => "run",
        _ when name.StartsWith("lora_", StringComparison.Ordinal) || name is "is_lora" or "use_dora" or "replicate_weights" => "lora",
        _ when name.StartsWith("refine", StringComparison.Ordinal) || name is "high_noise_frac" => "refiner",
        _ => "more",
    };

    private static JsonObject Schema(string title, IReadOnlyList<InputField> fields, JsonObject defaults, string[] required)
    {
        var properties = new JsonObject();
        foreach (var (order, field) in fields.Index())
            properties[field.Name] = Property(field, defaults[field.Name] ?? field.Default, order);
        var schema = new JsonObject { ["type"] = "object", ["title"] = title, ["properties"] = properties };
        if (required.Length > 0)
            schema["required"] = new JsonArray([.. required.Select(name => (JsonNode)name)]);
        return schema;
    }

    private static JsonObject Property(InputField field, JsonNode? value, int order)
    {
        var property = new JsonObject { ["title"] = Title(field.Name), ["description"] = field.Description, ["x-order"] = order };
        if (value is not null)
            property["default"] = value.DeepClone();
        // A choice without a default must say its type itself: the command line tells it by the default.
        if (field.Choices is not null && value is not null)
        {
            property["allOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/components/schemas/{field.Name}" });
            return property;
        }
        property["type"] = TypeOf(field);
        if (field.Choices is not null)
            property["enum"] = Choices(field);
        if (s_links.Contains(field.Name))
            property["format"] = "uri";
        var isText = field.Type == InputType.String;
        if (field.Minimum is { } minimum)
            property[isText ? "minLength" : "minimum"] = minimum;
        if (field.Maximum is { } maximum)
            property[isText ? "maxLength" : "maximum"] = maximum;
        if (field.MultipleOf is { } multiple)
            property["multipleOf"] = multiple;
        return property;
    }

    private static void AddChoices(JsonObject schemas, IReadOnlyList<InputField> fields)
    {
        foreach (var field in fields.Where(field => field.Choices is not null))
            schemas[field.Name] = new JsonObject { ["type"] = "string", ["title"] = field.Name, ["enum"] = Choices(field) };
    }

    private static JsonArray Choices(InputField field) => new([.. field.Choices!.Select(choice => (JsonNode)choice)]);

    internal static string TypeOf(InputField field) => field.Type switch
    {
        InputType.Integer => "integer",
        InputType.Number => "number",
        InputType.Boolean => "boolean",
        _ => "string",
    };

    /// <summary>num_outputs becomes Num Outputs.</summary>
    internal static string Title(string name) =>
        string.Join(' ', name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
}
