using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sdxl.Tests.Infra.Bicep;

namespace Sdxl.Tests.Infra.Names;

/// <summary>What one set of parameters makes on Azure, as Bicep predicts it: every resource with its evaluated name.</summary>
internal sealed partial class Deployment
{
    private readonly List<JsonObject> _resources;

    private Deployment(List<JsonObject> resources) => _resources = resources;

    /// <param name="parameters">Lines of a parameter file beside environment and region, as in "param workerPlace = 'aks'".</param>
    public static Task<Deployment> PredictAsync(InfraCopy infra, params string[] parameters) => PredictAsync("test", infra, parameters);

    public static async Task<Deployment> PredictAsync(string environment, InfraCopy infra, params string[] parameters)
    {
        File.WriteAllLines(infra.At("infra/test.bicepparam"),
            ["using 'main.bicep'", $"param environmentName = '{environment}'", "param location = 'eastus'", .. parameters]);
        var (said, _) = await BicepTool.RunAsync(
            infra.At("infra"), "snapshot", "test.bicepparam", "--mode", "overwrite", "--location", "eastus",
            "--subscription-id", "00000000-0000-0000-0000-000000000001", "--tenant-id", "00000000-0000-0000-0000-000000000002");
        Assert.Equal("", said);
        return new Deployment([.. JsonNode.Parse(infra.Read("infra/test.snapshot.json"))!["predictedResources"]!.AsArray()
            .Select(r => r!.AsObject())]);
    }

    public IReadOnlyList<string> Containers => [.. Of("Microsoft.Storage/storageAccounts/blobServices/containers").Select(LastName)];

    public IReadOnlyDictionary<string, JsonObject> Queues =>
        Of("Microsoft.ServiceBus/namespaces/queues").ToDictionary(LastName, queue => queue["properties"]!.AsObject());

    public IReadOnlyDictionary<string, string> FunctionsSettings =>
        Of("Microsoft.Web/sites/config").Single(config => LastName(config) == "appsettings")["properties"]!.AsObject()
            .ToDictionary(pair => pair.Key, pair => pair.Value!.ToString());

    /// <summary>Of the Container Apps job.</summary>
    public IReadOnlyDictionary<string, string> WorkerSettings =>
        Of("Microsoft.App/jobs").Single()["properties"]!["template"]!["containers"]![0]!["env"]!.AsArray()
            .ToDictionary(v => v!["name"]!.ToString(), v => v!["value"]!.ToString());

    /// <summary>Queues that start an execution of the Container Apps job.</summary>
    public IReadOnlyList<string> ScaledBy =>
        [.. Of("Microsoft.App/jobs").Single()["properties"]!["configuration"]!["eventTriggerConfig"]!["scale"]!["rules"]!.AsArray()
        .Select(rule => rule!["metadata"]!["queueName"]!.ToString())];

    public IReadOnlyList<Grant> Grants => [.. Of("Microsoft.Authorization/roleAssignments").Select(Grant.Of)];

    public IReadOnlyList<string> Types => [.. _resources.Select(r => r["type"]!.ToString()).Distinct()];

    public IReadOnlyList<string> Names => [.. _resources.Select(r => r["id"]!.ToString())];

    public string Text => JsonSerializer.Serialize(_resources);

    private IEnumerable<JsonObject> Of(string type) => _resources.Where(r => r["type"]!.ToString() == type);

    private static string LastName(JsonObject resource) => resource["name"]!.ToString().Split('/')[^1];

    /// <summary>One role given.</summary>
    /// <param name="To">functions, worker, scaler, events, or what else the principal is.</param>
    /// <param name="On">Kind of resource and its last name: "queues/trainings", "storageAccounts/st…".</param>
    /// <param name="Role">The role's id.</param>
    internal sealed partial record Grant(string To, string On, string Role, string Why)
    {
        public static Grant Of(JsonObject assignment)
        {
            var properties = assignment["properties"]!;
            var principal = properties["principalId"]!.ToString();
            var scope = assignment["scope"]?.ToString() ?? assignment["id"]!.ToString().Split("/providers/Microsoft.Authorization/")[0];
            return new Grant(
                Identity().Match(principal) is { Success: true } identity ? identity.Groups["who"].Value : principal,
                string.Join('/', scope.Split('/')[^2..]),
                properties["roleDefinitionId"]!.ToString().Split('/')[^1],
                properties["description"]?.ToString() ?? "");
        }

        [GeneratedRegex("userAssignedIdentities/id-(?<who>[a-z]+)-")]
        private static partial Regex Identity();
    }
}
