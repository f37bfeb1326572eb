namespace Sdxl.Tests.Infra.Names;

/// <summary>Compares what the code asks for with what is deployed, both ways; each difference is a sentence.</summary>
internal static class NameChecks
{
    /// <summary>Containers that only the platform and the operator use.</summary>
    public static readonly string[] OperatingContainers = ["app-package", "event-dead-letters", "base-models"];

    /// <summary>Settings that the Functions host, the Azure SDK and the exporters read, not our code.</summary>
    private static readonly string[] s_platformSettings =
    [
        "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__tableServiceUri",
        "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId", "AzureWebJobsDisableHomepage",
        "APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
            "AZURE_CLIENT_ID",
        "AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions",
        "AzureFunctionsJobHost__extensions__durableTask__storageProvider__maxQueuePollingInterval",
    ];

    private static readonly string[] s_connections = ["SdxlStorage__blobServiceUri", "SdxlServiceBus__fullyQualifiedNamespace"];

    /// <summary>With them the trigger's own client signs in; ours takes AZURE_CLIENT_ID.</summary>
    private static readonly string[] s_triggerConnections = ["SdxlServiceBus__credential", "SdxlServiceBus__clientId"];

    private const string Receiver = "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0";
    private const string Sender = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39";

    public static IReadOnlyList<string> Containers(Deployment azure) =>
        Compare("container", [.. CodeFacts.Containers, .. OperatingContainers], azure.Containers);

    public static IReadOnlyList<string> Queues(Deployment azure) => Compare("queue", CodeFacts.QueueNames, [.. azure.Queues.Keys]);

    public static IReadOnlyList<string> FunctionsSettings(Deployment azure) => Compare(
        "setting of the functions",
        [.. CodeFacts.FunctionsOptions.Select(option => $"Sdxl__{option}"), .. s_connections, .. s_triggerConnections,
            .. s_platformSettings],
        [.. azure.FunctionsSettings.Keys]);

    /// <summary>Those that a place leaves out have a default that suits it.</summary>
    /// <param name="where">For the sentence.</param>
    /// <param name="leftOut">Options that keep their default there.</param>
    public static IReadOnlyList<string> WorkerSettings(string where, IEnumerable<string> set, params string[] leftOut) => Compare(
        $"setting of the worker ({where})",
        [.. CodeFacts.WorkerOptions.Except(leftOut).Select(option => $"Sdxl__{option}"), .. s_connections, "AZURE_CLIENT_ID",
            "APPLICATIONINSIGHTS_CONNECTION_STRING"],
        [.. set]);

    public static IReadOnlyList<string> QueueRoles(Deployment azure) => Compare(
        "role",
        [.. CodeFacts.QueueUses.Select(use => $"{use.Who} {use.Does} {use.Queue}")],
        [.. azure.Grants.Where(grant => grant.To is "functions" or "worker" && grant.On.StartsWith("queues/", StringComparison.Ordinal))
            .Select(grant => $"{grant.To} {Does(grant.Role)} {grant.On["queues/".Length..]}")]);

    private static string Does(string role) => role switch { Receiver => "receives", Sender => "sends", _ => role };

    private static IReadOnlyList<string> Compare(string kind, IReadOnlyList<string> code, IReadOnlyList<string> infra) =>
    [
        .. code.Except(infra).Select(name => $"{kind} '{name}' is used by the code and missing in infra/"),
        .. infra.Except(code).Select(name => $"{kind} '{name}' stands in infra/ and no code uses it"),
        .. infra.GroupBy(name => name).Where(group => group.Count() > 1).Select(group => $"{kind} '{group.Key}' stands in infra/ twice"),
    ];
}
