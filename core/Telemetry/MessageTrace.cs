using System.Diagnostics;

namespace Sdxl.Core.Telemetry;

/// <summary>W3C trace context in a message's application properties, so that one trace goes from the upload through the queues to the
/// weights.</summary>
public static class MessageTrace
{
    /// <summary>As W3C names it: 00-TRACE-SPAN-FLAGS.</summary>
    public const string Parent = "traceparent";

    /// <summary>What other systems hang on to it.</summary>
    public const string State = "tracestate";

    /// <summary>Writes the open span into a message that is about to be sent; nothing where none is open.</summary>
    public static void Inject(IDictionary<string, object> properties)
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id } span)
            return;
        properties[Parent] = id;
        if (span.TraceStateString is { Length: > 0 } state)
            properties[State] = state;
    }

    /// <summary>The span that a received message was sent from; none where it says none, or nonsense: a trace is no reason to refuse
    /// work.</summary>
    public static ActivityContext Extract(IReadOnlyDictionary<string, object> properties) =>
        properties.GetValueOrDefault(Parent) is string parent
            && ActivityContext.TryParse(parent, properties.GetValueOrDefault(State) as string, isRemote: true, out var context)
            ? context : default;
}
