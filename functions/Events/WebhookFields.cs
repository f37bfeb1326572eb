using System.Text.Json.Nodes;
using Sdxl.Core.Events;
using Sdxl.Functions.Http;

namespace Sdxl.Functions.Events;

/// <summary>Reads webhook and webhook_events_filter of a POST's body.</summary>
public static class WebhookFields
{
    private const int MaxLetters = 2048;

    /// <returns>null where no webhook is asked for.</returns>
    /// <exception cref="IntakeException">No address that can be posted to, or a filter of other words.</exception>
    public static WebhookRequest? Read(JsonObject body)
    {
        if (body["webhook"] is not { } given || given is JsonValue && given.ToString() == "")
            return null;
        var url = given is JsonValue value ? value.ToString() : "";
        if (ProblemOf(url) is { } problem)
            throw Refuse("webhook", $"'webhook' {problem}");
        if (body["webhook_events_filter"] is not { } filter)
            return new WebhookRequest(url, WebhookRequest.UsualFilter);
        var words = filter is JsonArray list ? list.Select(word => word?.ToString() ?? "").Distinct().ToList() : [""];
        if (words.Except(WebhookRequest.Events).FirstOrDefault() is { } wrong)
        {
            throw Refuse("webhook_events_filter",
                $"'webhook_events_filter' has '{(wrong.Length > 60 ? wrong[..57] + "…" : wrong)}'; it is a list of "
                    + $"{string.Join(", ", WebhookRequest.Events)}.");
        }
        return new WebhookRequest(url, words.Count == 0 ? WebhookRequest.UsualFilter : words);
    }

    /// <summary>Why nothing can be posted to an address, beginning with the verb; null: it can, as far as its text says.</summary>
    public static string? ProblemOf(string url) =>
        url.Length > MaxLetters ? $"is longer than {MaxLetters} characters."
        : !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0
            ? "is no http or https address without user name and password." : null;

    private static IntakeException Refuse(string field, string sentence) => new([new IntakeProblem(field, sentence, 422)]);
}
