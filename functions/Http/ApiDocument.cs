using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using Sdxl.Core.Json;
using Sdxl.Functions.Accounts;

namespace Sdxl.Functions.Http;

/// <summary>
/// The API as an OpenAPI 3.0 document, made of the functions themselves: a route that is served is in it. (QUERY is no operation that
/// OpenAPI 3.0 knows; it is left out.)
/// </summary>
public static partial class ApiDocument
{
    private static readonly string[] s_methods = ["get", "post", "put", "patch", "delete"];

    private static readonly Lazy<JsonObject> s_whole = new(Make);

    /// <summary>A copy that says where the API is.</summary>
    public static JsonObject For(string root)
    {
        var document = s_whole.Value.DeepClone().AsObject();
        document["servers"] = new JsonArray(new JsonObject { ["url"] = root });
        return document;
    }

    private static JsonObject Make()
    {
        var schemas = new JsonObject { ["Problem"] = SchemaOf(typeof(Problem)) };
        foreach (var (name, schema) in ApiBodies.Schemas)
            schemas[name] = schema.DeepClone();
        var paths = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var (function, method, trigger) in Functions())
        {
            var path = "/" + Parameter().Replace(trigger.Route!, "{$1}");
            if (!paths.TryGetValue(path, out var item))
                paths[path] = item = [];
            foreach (var verb in (trigger.Methods ?? []).Select(verb => verb.ToLowerInvariant()).Where(s_methods.Contains))
                item[verb] = Operation(function, method, trigger.Route!, schemas);
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.3",
            ["info"] = new JsonObject
            {
                ["title"] = "Sdxl.Serverless", ["version"] = "1.0.0",
                ["description"] =
                    "Fine-tunes SDXL on a zip of pictures and draws with the result. Replicate's clients work with it unchanged.",
            },
            ["paths"] = new JsonObject(
                paths.Where(pair => pair.Value.Count > 0).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["securitySchemes"] = new JsonObject { ["token"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
            },
            ["security"] = new JsonArray(new JsonObject { ["token"] = new JsonArray() }),
        };
    }

    /// <summary>All functions of the API, with their routes.</summary>
    internal static IEnumerable<(string Name, MethodInfo Method, HttpTriggerAttribute Trigger)> Functions() =>
        from type in typeof(ApiDocument).Assembly.GetExportedTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        let function = method.GetCustomAttribute<FunctionAttribute>()
        where function is not null
        let trigger = method.GetParameters()
            .Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).FirstOrDefault(t => t is not null)
        where trigger?.Route?.StartsWith("v1/", StringComparison.Ordinal) == true && !trigger.Route.Contains(":/", StringComparison.Ordinal)
            && !trigger.Route.StartsWith("v1/v1/", StringComparison.Ordinal)
        orderby function.Name
        select (function.Name, method, trigger);

    private static JsonObject Operation(string function, MethodInfo method, string route, JsonObject schemas)
    {
        var told = method.GetCustomAttribute<OperationAttribute>();
        var operation = new JsonObject
        {
            ["operationId"] = char.ToLowerInvariant(function[0]) + function[1..],
            ["summary"] = told?.Summary ?? Words().Replace(function, " $1").Trim(),
            ["tags"] = new JsonArray(route.Split('/')[1]),
        };
        var parameters = Parameter().Matches(route).Select(match => Named(match.Groups[1].Value, "path"))
            .Concat((told?.Query ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(word => Named(word, "query")))
            .ToArray();
        if (parameters.Length > 0)
            operation["parameters"] = new JsonArray(parameters);
        if (told?.Body is { } body)
        {
            operation["requestBody"] = new JsonObject
            {
                ["content"] = new JsonObject(ApiBodies.MediaOf(body).Select(media =>
                    KeyValuePair.Create(media, (JsonNode?)new JsonObject { ["schema"] = Reference(body) }))),
            };
        }
        operation["responses"] = new JsonObject
        {
            [(told?.Status ?? 200).ToString(System.Globalization.CultureInfo.InvariantCulture)] = Success(told, schemas),
            ["default"] = new JsonObject
            {
                ["description"] = "What is wrong, and what to do.",
                ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = Reference("Problem") } },
            },
        };
        if (method.GetCustomAttribute<OpenToAllAttribute>() is not null)
            operation["security"] = new JsonArray();
        return operation;
    }

    private static JsonObject Success(OperationAttribute? told, JsonObject schemas)
    {
        var answer = new JsonObject { ["description"] = "Done." };
        if (told?.Gives is { } type)
            answer["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Named(type, schemas) } };
        else if (told?.Media is { } media)
        {
            answer["content"] = new JsonObject
            {
                [media] = new JsonObject
                {
                    ["schema"] = new JsonObject
                    {
                        ["type"] = "string", ["format"] = media.StartsWith("text/", StringComparison.Ordinal) ? "" : "binary",
                    },
                },
            };
        }
        return answer;
    }

    /// <summary>TrainingView becomes #/components/schemas/Training, Page of it TrainingPage.</summary>
    private static JsonObject Named(Type type, JsonObject schemas)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
            return new JsonObject { ["type"] = "array", ["items"] = Named(type.GetGenericArguments()[0], schemas) };
        var name = type.IsGenericType ? NameOf(type.GetGenericArguments()[0]) + "Page" : NameOf(type);
        if (!schemas.ContainsKey(name))
            schemas[name] = SchemaOf(type);
        return Reference(name);
    }

    private static string NameOf(Type type) => type.Name.EndsWith("View", StringComparison.Ordinal) ? type.Name[..^4] : type.Name;

    private static JsonObject SchemaOf(Type type) => (JsonObject)Older(SdxlJson.Options.GetJsonSchemaAsNode(type), type.Name);

    /// <summary>JSON Schema of today to that of OpenAPI 3.0: one type a schema, null by nullable, no true and false.</summary>
    private static JsonNode Older(JsonNode schema, string where)
    {
        if (schema is not JsonObject given)
            return new JsonObject();
        var older = new JsonObject();
        foreach (var (key, value) in given)
        {
            switch (key)
            {
                case "type" when value is JsonArray types:
                    older["type"] = types.Select(type => type!.ToString()).First(type => type != "null");
                    if (types.Any(type => type!.ToString() == "null"))
                        older["nullable"] = true;
                    break;
                case "properties":
                    older[key] = new JsonObject(value!.AsObject().Select(pair =>
                        KeyValuePair.Create(pair.Key, (JsonNode?)Older(pair.Value!.DeepClone(), $"{where}.{pair.Key}"))));
                    break;
                case "items" or "additionalProperties" when value is JsonObject:
                    older[key] = Older(value.DeepClone(), $"{where}.{key}");
                    break;
                case "enum":
                    older[key] = new JsonArray([.. value!.AsArray().Where(word => word is not null).Select(word => word!.DeepClone())]);
                    older["type"] = "string";
                    if (value.AsArray().Any(word => word is null))
                        older["nullable"] = true;
                    break;
                case "pattern": // of numbers that may come as texts; we write numbers
                    break;
                case "$ref":
                    throw new InvalidOperationException($"{where} holds itself; give it a schema of its own.");
                default:
                    older[key] = value?.DeepClone();
                    break;
            }
        }
        if (older["type"]?.ToString() == "array" && older["items"] is null)
            older["items"] = new JsonObject();
        return older;
    }

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };

    private static JsonNode Named(string name, string place) => new JsonObject
    {
        ["name"] = name, ["in"] = place, ["required"] = place == "path", ["schema"] = new JsonObject { ["type"] = "string" },
    };

    private sealed record Problem(string Title, int Status, string Detail, IReadOnlyList<Invalid> InvalidFields);

    private sealed record Invalid(string Field, string Detail);

    [GeneratedRegex(@"\{\*?([a-z_]+)[^}]*\}", RegexOptions.IgnoreCase)]
    private static partial Regex Parameter();

    [GeneratedRegex("([A-Z])")]
    private static partial Regex Words();
}
