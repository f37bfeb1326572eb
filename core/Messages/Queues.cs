namespace Sdxl.Core.Messages;

/// <summary>Service Bus queues.</summary>
public static class Queues
{
    /// <summary>BlobCreated events of the uploads container, as CloudEvents 1.0.</summary>
    public const string Uploads = "uploads";

    /// <summary>Training jobs for the GPU worker: peek-lock, duplicate detection on.</summary>
    public const string Trainings = "trainings";

    /// <summary>Prediction jobs for the GPU worker.</summary>
    public const string Predictions = "predictions";

    /// <summary>What the GPU worker reports.</summary>
    public const string WorkerEvents = "worker-events";

    /// <summary>What is to be told to webhooks, subscriptions and Event Grid, repetitions included.</summary>
    public const string Events = "events";

    /// <summary>Jobs that killed every worker that took them: the dead-letter queues.</summary>
    public const string DeadTrainings = "trainings/$deadletterqueue";

    /// <inheritdoc cref="DeadTrainings"/>
    public const string DeadPredictions = "predictions/$deadletterqueue";

    /// <summary>Events that could not be handled as often as they were delivered.</summary>
    public const string DeadWorkerEvents = "worker-events/$deadletterqueue";
}

/// <summary>Reasons with which the worker itself moves a message to the dead-letter queue.</summary>
public static class DeadLetterReasons
{
    /// <summary>The body is not a job that this version knows.</summary>
    public const string Unreadable = "unreadable";
}
