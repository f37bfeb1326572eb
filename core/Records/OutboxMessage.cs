using System.Text.Json;
using Sdxl.Core.Json;

namespace Sdxl.Core.Records;

/// <summary>A message that a record still owes to a queue.</summary>
/// <param name="MessageId">Duplicate detection drops a repetition.</param>
/// <param name="Due">When the queue is to show it; null: at once.</param>
public sealed record OutboxMessage(string Queue, string MessageId, JsonElement Body, DateTimeOffset? Due = null)
{
    public static OutboxMessage Of<T>(string queue, string messageId, T body, DateTimeOffset? due = null) =>
        new(queue, messageId, JsonSerializer.SerializeToElement(body, SdxlJson.Options), due);
}
