using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace Sdxl.Tests.Infra.Kubernetes;

/// <summary>
/// As much of `kubectl kustomize` as our folders use: resources, a namespace, generated ConfigMaps, JSON patches, images, replacements.
/// Whatever else a kustomization says is an
/// error here, and so is a patch or replacement that meets nothing.
/// </summary>
internal static class Kustomization
{
    private static readonly IDeserializer s_yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization()
        .WithDuplicateKeyChecking().Build();
    private static readonly ISerializer s_json = new SerializerBuilder().JsonCompatible().Build();

    /// <summary>Every object that the folder makes.</summary>
    public static List<JsonObject> Render(string folder)
    {
        var file = Yaml(Path.Combine(folder, "kustomization.yaml"))[0];
        var objects = new List<JsonObject>();
        foreach (var (key, value) in file)
        {
            switch (key)
            {
                case "apiVersion" or "kind" or "namespace" or "generatorOptions":
                    break;
                case "resources":
                    foreach (var resource in value!.AsArray().Select(r => Path.Combine(folder, r!.ToString())))
                        objects.AddRange(Directory.Exists(resource) ? Render(resource) : Yaml(resource));
                    break;
                case "configMapGenerator":
                    foreach (var generator in value!.AsArray())
                        Generate(folder, generator!.AsObject(), objects);
                    break;
                case "patches":
                    foreach (var patch in value!.AsArray())
                        Patch(Parse(patch!["patch"]!.ToString()).AsArray(), Find(objects, patch["target"]!));
                    break;
                case "images":
                    foreach (var image in value!.AsArray())
                        SetImage(objects, image!.AsObject());
                    break;
                case "replacements":
                    foreach (var replacement in value!.AsArray())
                        Replace(objects, replacement!.AsObject());
                    break;
                default:
                    throw new NotSupportedException($"{folder}: '{key}' is not among what this reader knows.");
            }
        }
        if (file["namespace"] is { } space)
        {
            foreach (var made in objects.Where(made => made["kind"]!.ToString() != "Namespace"))
                made["metadata"]!["namespace"] = space.ToString();
        }
        return objects;
    }

    public static List<JsonObject> Yaml(string path) =>
        [.. File.ReadAllText(path).Split("\n---\n").Select(part => Parse(part).AsObject())];

    private static JsonNode Parse(string yaml) => JsonNode.Parse(s_json.Serialize(s_yaml.Deserialize<object>(yaml)))!;

    private static void Generate(string folder, JsonObject generator, List<JsonObject> objects)
    {
        var lines = (generator["envs"]?.AsArray() ?? []).SelectMany(env => File.ReadAllLines(Path.Combine(folder, env!.ToString())))
            .Concat((generator["literals"]?.AsArray() ?? []).Select(literal => literal!.ToString()))
                .Where(line => line.Length > 0 && line[0] != '#');
        var data = new JsonObject(lines.Select(line => line.Split('=', 2))
            .Select(pair => KeyValuePair.Create<string, JsonNode?>(pair[0], pair[1])));
        var name = generator["name"]!.ToString();
        if (generator["behavior"]?.ToString() == "merge")
        {
            var old = Find(objects, new JsonObject { ["kind"] = "ConfigMap", ["name"] = name })["data"]!.AsObject();
            foreach (var (key, value) in data)
                old[key] = value!.DeepClone();
            return;
        }
        objects.Add(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = name },
            ["data"] = data });
    }

    private static JsonObject Find(List<JsonObject> objects, JsonNode target) =>
        objects.SingleOrDefault(o => o["kind"]!.ToString() == target["kind"]!.ToString()
            && o["metadata"]!["name"]!.ToString() == target["name"]!.ToString())
        ?? throw new InvalidDataException($"There is no {target["kind"]} '{target["name"]}' to change.");

    /// <summary>RFC 6902: add, replace, remove.</summary>
    private static void Patch(JsonArray operations, JsonObject target)
    {
        foreach (var operation in operations)
        {
            var path = operation!["path"]!.ToString()
                .Split('/')[1..].Select(step => step.Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal)).ToArray();
            var parent = Walk(target, path[..^1]);
            var (op, last, value) = (operation["op"]!.ToString(), path[^1], operation["value"]?.DeepClone());
            switch (op, parent)
            {
                case ("add", JsonArray list) when last == "-":
                    list.Add(value);
                    break;
                case ("add", JsonObject map):
                    map[last] = value;
                    break;
                case ("replace", JsonObject map) when map.ContainsKey(last):
                    map[last] = value;
                    break;
                case ("remove", JsonObject map) when map.Remove(last):
                    break;
                default:
                    throw new InvalidDataException($"Patch {op} {operation["path"]} of {target["kind"]} meets nothing.");
            }
        }
    }

    private static JsonNode Walk(JsonNode node, IEnumerable<string> path)
    {
        foreach (var step in path)
        {
            node = (node is JsonArray list ? int.TryParse(step, CultureInfo.InvariantCulture, out var index) && index < list.Count
                ? list[index] : null : node[step])
                ?? throw new InvalidDataException($"There is no '{step}' in {string.Join('/', path)}.");
        }
        return node;
    }

    private static void SetImage(List<JsonObject> objects, JsonObject image)
    {
        var containers = objects.SelectMany(Pods).SelectMany(pod => pod["containers"]!.AsArray())
            .Where(c => c!["image"]!.ToString() == image["name"]!.ToString()).ToList();
        if (containers.Count == 0)
            throw new InvalidDataException($"No container has the image '{image["name"]}'.");
        foreach (var container in containers)
            container!["image"] = $"{image["newName"]}:{image["newTag"]}";
    }

    private static void Replace(List<JsonObject> objects, JsonObject replacement)
    {
        var source = replacement["source"]!;
        var value = Walk(Find(objects, source), source["fieldPath"]!.ToString().Split('.'));
        foreach (var target in replacement["targets"]!.AsArray())
        {
            foreach (var path in target!["fieldPaths"]!.AsArray())
            {
                // A name with dots stands in brackets.
                var steps = path!.ToString() is var text && text.IndexOf(".[", StringComparison.Ordinal) is >= 0 and var at
                    ? [.. text[..at].Split('.'), text[(at + 2)..^1]] : text.Split('.');
                var parent = Walk(Find(objects, target["select"]!), steps[..^1]).AsObject();
                if (!parent.ContainsKey(steps[^1]))
                    throw new InvalidDataException($"Replacement of {path} meets nothing.");
                parent[steps[^1]] = value.DeepClone();
            }
        }
    }

    /// <summary>The pod that an object runs, if it runs one.</summary>
    public static IEnumerable<JsonObject> Pods(JsonObject made) => made["kind"]!.ToString() switch
    {
        "Deployment" => [made["spec"]!["template"]!["spec"]!.AsObject()],
        "ScaledJob" => [made["spec"]!["jobTargetRef"]!["template"]!["spec"]!.AsObject()],
        _ => [],
    };
}
