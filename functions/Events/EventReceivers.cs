using System.Text;
using Azure;
using Azure.Core;
using Azure.Messaging;
using Azure.Messaging.EventGrid;
using Microsoft.Extensions.Options;
using Sdxl.Core.Events;
using Sdxl.Functions.Hosting;

namespace Sdxl.Functions.Events;

/// <summary>One who is told of a job's events.</summary>
public interface IEventReceiver
{
    /// <summary>Names it in storage: letters, digits and '-'.</summary>
    string Id { get; }

    /// <summary>For people; an address without its query.</summary>
    string Shown { get; }

    bool Wants(JobEvent happened);

    /// <summary>Does not want the earlier event where the later one is there too.</summary>
    bool IsCoveredBy(JobEvent earlier, JobEvent later);

    /// <summary>Wants no more than one such event in this time.</summary>
    TimeSpan PauseBefore(JobEvent happened);

    /// <exception cref="DeliveryFailedException">It did not take the event.</exception>
    Task SendAsync(JobStory story, JobEvent happened, CancellationToken cancel);
}

/// <summary>Finds who is to be told of a job.</summary>
public sealed class EventReceivers(Subscriptions subscriptions, WebhookPoster poster, EventGridTopic topic)
{
    public WebhookReceiver Of(WebhookRequest webhook) => new(webhook, poster);

    public async Task<IReadOnlyList<IEventReceiver>> OfAsync(JobStory story, CancellationToken cancel)
    {
        var receivers = new List<IEventReceiver>();
        if (story.Webhook is { } webhook)
            receivers.Add(Of(webhook));
        if (topic.IsConfigured)
            receivers.Add(topic);
        foreach (var subscription in await subscriptions.OfAsync(story.Key.Owner, cancel))
            receivers.Add(new SubscriptionReceiver(subscription, poster));
        return receivers;
    }
}

/// <summary>The webhook that a job's caller asked for with the job: the job as GET shows it, in Replicate's shape.</summary>
public sealed class WebhookReceiver(WebhookRequest webhook, WebhookPoster poster) : IEventReceiver
{
    private static readonly TimeSpan OutputPause = TimeSpan.FromMilliseconds(500);

    public string Id => "webhook";

    public string Shown => webhook.Url.Split('?', '#')[0];

    public bool Wants(JobEvent happened) => WebhookRequest.WordOf(happened) is { } word && webhook.Filter.Contains(word);

    public bool IsCoveredBy(JobEvent earlier, JobEvent later) =>
        WebhookRequest.WordOf(earlier) == WebhookRequest.Output && WebhookRequest.WordOf(later) == WebhookRequest.Output;

    public TimeSpan PauseBefore(JobEvent happened) =>
        WebhookRequest.WordOf(happened) == WebhookRequest.Output ? OutputPause : TimeSpan.Zero;

    public async Task SendAsync(JobStory story, JobEvent happened, CancellationToken cancel) =>
        await poster.PostAsync(story.Key.Owner, webhook.Url, happened.IdOf(story.Key), "application/json",
            Encoding.UTF8.GetBytes(await story.View(happened, cancel)), cancel);

    /// <summary>The log has grown; told once and not again.</summary>
    /// <exception cref="DeliveryFailedException">It was not taken.</exception>
    public Task SendLogsAsync(JobStory story, string view, CancellationToken cancel) =>
        poster.PostAsync(
            story.Key.Owner,
            webhook.Url,
            $"{story.Key.Id}-logs-{Guid.NewGuid():N}",
            "application/json",
            Encoding.UTF8.GetBytes(view),
            cancel
        );
}

/// <summary>An address that an owner subscribed: CloudEvents.</summary>
public sealed class SubscriptionReceiver(Subscription subscription, WebhookPoster poster) : IEventReceiver
{
    public string Id => $"subscription-{subscription.Id}";

    public string Shown => subscription.Url.Split('?', '#')[0];

    public bool Wants(JobEvent happened) => subscription.Takes(happened.Type);

    public bool IsCoveredBy(JobEvent earlier, JobEvent later) => false;

    public TimeSpan PauseBefore(JobEvent happened) => TimeSpan.Zero;

    public async Task SendAsync(JobStory story, JobEvent happened, CancellationToken cancel) =>
        await poster.PostAsync(story.Key.Owner, subscription.Url, happened.IdOf(story.Key), CloudEventShape.ContentType,
            Encoding.UTF8.GetBytes((await CloudEventShape.OfAsync(story, happened, cancel)).ToJsonString()), cancel);
}

/// <summary>The Event Grid topic of this deployment, where one is configured.</summary>
public sealed class EventGridTopic : IEventReceiver
{
    private readonly EventGridPublisherClient? _client;

    /// <param name="clientOptions">For tests; null: the usual ones.</param>
    public EventGridTopic(IOptions<SdxlOptions> options, TokenCredential identity, EventGridPublisherClientOptions? clientOptions = null)
    {
        var grid = options.Value.EventGrid;
        clientOptions ??= new EventGridPublisherClientOptions();
        Shown = grid.Endpoint;
        _client = grid.Endpoint.Length == 0 ? null
            : grid.Key.Length > 0 ? new EventGridPublisherClient(new Uri(grid.Endpoint), new AzureKeyCredential(grid.Key), clientOptions)
            : new EventGridPublisherClient(new Uri(grid.Endpoint), identity, clientOptions);
    }

    public bool IsConfigured => _client is not null;

    public string Id => "event-grid";

    public string Shown { get; }

    public bool Wants(JobEvent happened) => true;

    public bool IsCoveredBy(JobEvent earlier, JobEvent later) => false;

    public TimeSpan PauseBefore(JobEvent happened) => TimeSpan.Zero;

    public async Task SendAsync(JobStory story, JobEvent happened, CancellationToken cancel)
    {
        var shape = await CloudEventShape.OfAsync(story, happened, cancel);
        var told = CloudEvent.Parse(BinaryData.FromString(shape.ToJsonString()))!;
        try
        {
            await _client!.SendEventAsync(told, cancel);
        }
        catch (Exception e) when (e is RequestFailedException or Azure.Identity.AuthenticationFailedException or AggregateException)
        {
            throw new DeliveryFailedException($"Event Grid topic {Shown}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
