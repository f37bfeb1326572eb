using System.CommandLine;
using System.Text.Json.Nodes;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl subscriptions: create, list, delete, test.</summary>
internal static class SubscriptionsCommand
{
    public static Command Create() =>
        new(
            "subscriptions",
            """
            Look after the addresses that are told of events by signed webhooks. Their shapes are in docs/events.md.

            Example:
              ./sdxl subscriptions create https://example.com/hook --type training.completed
            """
        )
        {
            Make(),
            List(),
            OnOne("delete", "Delete a subscription.", (api, id, cancel) => api.DeleteAsync($"v1/subscriptions/{id}", cancel), "is deleted"),
            OnOne(
                "test",
                "Send a test event to a subscription's address.",
                (api, id, cancel) => api.PostAsync($"v1/subscriptions/{id}/test", null, cancel),
                "was sent a test event"
            ),
        };

    private static Command Make()
    {
        var command = new Command("create", "Tell an address of events. The answer holds the secret that its signatures are made with.");
        var url = new Argument<string>("url") { Description = "Where events are posted." };
        var types = new Option<string[]>("--type")
        {
            Description = "Only events of this type, such as training.completed. May be given several times. Unset: all.",
            HelpName = "TYPE",
        };
        var json = CommonOptions.Json();
        command.Arguments.Add(url);
        command.Options.Add(types);
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                    {
                        var body = new JsonObject { ["url"] = parsed.GetRequiredValue(url) };
                        if (parsed.GetValue(types) is { Length: > 0 } wanted)
                            body["types"] = new JsonArray([.. wanted.Select(type => (JsonNode)type)]);
                        var made = await api.PostAsync("v1/subscriptions", body, cancel);
                        if (parsed.GetValue(json))
                            Listing.Write(made);
                        else
                            Console.WriteLine(
                                $"Subscription {made["id"]} tells {made["url"]}. ./sdxl subscriptions test {made["id"]} tries it."
                            );
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List your subscriptions.");
        var json = CommonOptions.Json();
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                        Listing.Write(
                            await api.AllAsync("v1/subscriptions", cancel),
                            parsed.GetValue(json),
                            "No subscription is there.",
                            item => Listing.Text(item, "id"),
                            item => Listing.Time(item, "created_at"),
                            item => Listing.Text(item, "url"),
                            item => string.Join(",", (item["types"] as JsonArray ?? []).Select(type => type?.ToString()))
                        ),
                    cancel
                )
        );
        return command;
    }

    private static Command OnOne(string name, string description, Func<Api.ApiClient, string, CancellationToken, Task> action, string done)
    {
        var command = new Command(name, description);
        var id = new Argument<string>("id") { Description = "Id of the subscription." };
        command.Arguments.Add(id);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                    {
                        await action(api, Uri.EscapeDataString(parsed.GetRequiredValue(id)), cancel);
                        Console.WriteLine($"Subscription {parsed.GetRequiredValue(id)} {done}.");
                    },
                    cancel
                )
        );
        return command;
    }
}
