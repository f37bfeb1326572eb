using System.Text.Json;
using Microsoft.Azure.Functions.Worker;

namespace Sdxl.Functions.Workers;

/// <summary>What the Service Bus trigger tells of a message beside its body, read from the binding data.</summary>
/// <param name="MessageId">As the sender set it; empty where it set none.</param>
/// <param name="Reason">Why it was given up; null where nobody said.</param>
/// <param name="Description">More about that.</param>
internal sealed record DeadLetter(string MessageId, string? Reason, string? Description)
{
    public static DeadLetter Of(FunctionContext context)
    {
        var told = context.BindingContext.BindingData;
        // Reason and description travel as application properties of these names, which the trigger passes on as JSON.
        var properties = told.GetValueOrDefault("ApplicationProperties") is string { Length: > 0 } json
            ? JsonSerializer.Deserialize<JsonElement>(json)
            : default;
        return new DeadLetter(
            told.GetValueOrDefault("MessageId") as string ?? "",
            Property("DeadLetterReason"),
            Property("DeadLetterErrorDescription")
        );

        string? Property(string name) =>
            properties.ValueKind == JsonValueKind.Object
            && properties.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
    }
}
