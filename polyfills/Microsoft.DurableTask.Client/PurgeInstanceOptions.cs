namespace Microsoft.DurableTask.Client;

/// <summary>Whether sub-orchestrations are removed too.</summary>
public record PurgeInstanceOptions(bool Recursive = false);
