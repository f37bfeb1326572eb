using k8s.Models;

namespace Sdxl.Tests.Infra.Kubernetes;

// KEDA 2.20's custom resources, as far as one may use them here: a key that is not among these properties is an error. Field names and
// meanings: keda.sh, "ScaledJob spec", "Azure Service Bus".

internal sealed class ScaledJob
{
    public required string ApiVersion { get; set; }
    public required string Kind { get; set; }
    public required V1ObjectMeta Metadata { get; set; }
    public required ScaledJobSpec Spec { get; set; }
}

internal sealed class ScaledJobSpec
{
    public required V1JobSpec JobTargetRef { get; set; }
    public int PollingInterval { get; set; }
    public int MinReplicaCount { get; set; }
    public int MaxReplicaCount { get; set; }
    public int SuccessfulJobsHistoryLimit { get; set; }
    public int FailedJobsHistoryLimit { get; set; }
    public Rollout? Rollout { get; set; }
    public ScalingStrategy? ScalingStrategy { get; set; }
    public required List<Trigger> Triggers { get; set; }
}

internal sealed class Rollout
{
    /// <summary>"default" ends running jobs when the resource changes, "gradual" does not.</summary>
    public required string Strategy { get; set; }
}

internal sealed class ScalingStrategy
{
    /// <summary>"default", "custom", "accurate", "eager".</summary>
    public required string Strategy { get; set; }

    /// <summary>"max", "min", "avg", "sum".</summary>
    public string? MultipleScalersCalculation { get; set; }
}

internal sealed class Trigger
{
    public required string Type { get; set; }
    public required ServiceBusMetadata Metadata { get; set; }
    public Reference? AuthenticationRef { get; set; }
}

internal sealed class ServiceBusMetadata
{
    public required string Namespace { get; set; }
    public required string QueueName { get; set; }
    public required string MessageCount { get; set; }
}

internal sealed class Reference
{
    public required string Name { get; set; }
}

internal sealed class TriggerAuthentication
{
    public required string ApiVersion { get; set; }
    public required string Kind { get; set; }
    public required V1ObjectMeta Metadata { get; set; }
    public required TriggerAuthenticationSpec Spec { get; set; }
}

internal sealed class TriggerAuthenticationSpec
{
    public required PodIdentity PodIdentity { get; set; }
}

internal sealed class PodIdentity
{
    public required string Provider { get; set; }
    public required string IdentityId { get; set; }
}
