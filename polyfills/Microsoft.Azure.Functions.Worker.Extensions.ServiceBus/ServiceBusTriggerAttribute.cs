using Microsoft.Azure.Functions.Worker.Extensions.Abstractions;

namespace Microsoft.Azure.Functions.Worker;

/// <summary>Starts a function with a message of a queue: "name" or "name/$deadletterqueue".</summary>
public sealed class ServiceBusTriggerAttribute : TriggerBindingAttribute
{
    public ServiceBusTriggerAttribute(string queueName)
    {
        QueueName = queueName;
    }

    public string? QueueName { get; set; }

    /// <summary>Name of the setting that says how to connect.</summary>
    public string? Connection { get; set; }
}
