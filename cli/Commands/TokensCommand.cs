using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl tokens: create, list, revoke.</summary>
internal static class TokensCommand
{
    public static Command Create() => new("tokens",
        """
        Look after the tokens of the API. Whoever has one reaches the things of its owner, and nobody else's.

        Examples:
          ./sdxl tokens create laptop --days 30
          ./sdxl tokens create bob --owner bob            a second user
        """)
    {
        Make(), List(), Revoke(),
    };

    private static Command Make()
    {
        var command = new Command("create", "Make a token. It is shown once; only its hash is kept.");
        var name = new Argument<string>("name") { Description = "Where it is used." };
        var scopes = new Option<string[]>("--scope")
        {
            Description = "What it may do: read, write, tokens. May be given several times. Unset: read and write.",
            HelpName = "SCOPE",
        };
        var owner = new Option<string?>("--owner") { Description = "Whose things it reaches. Unset: yours.", HelpName = "NAME" };
        var days = new Option<double?>("--days") { Description = "Days until it ends. Unset: never.", HelpName = "N" };
        var json = CommonOptions.Json();
        command.Arguments.Add(name);
        foreach (var option in new Option[] { scopes, owner, days, json })
            command.Options.Add(option);
        command.SetAction((parsed, cancel) => Listing.RunAsync(
            async api =>
            {
                var body = new JsonObject { ["name"] = parsed.GetRequiredValue(name) };
                if (parsed.GetValue(scopes) is { Length: > 0 } wanted)
                    body["scopes"] = new JsonArray([.. wanted.Select(scope => (JsonNode)scope)]);
                if (parsed.GetValue(owner) is { } whose)
                    body["owner"] = whose;
                if (parsed.GetValue(days) is { } left)
                    body["expires_at"] = DateTimeOffset.UtcNow.AddDays(left).ToString("O", CultureInfo.InvariantCulture);
                var token = await api.PostAsync("v1/tokens", body, cancel);
                if (parsed.GetValue(json))
                    Listing.Write(token);
                else
                    Console.WriteLine(token["token"]);
            },
            cancel));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List your tokens, without themselves.");
        var json = CommonOptions.Json();
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => Listing.RunAsync(async api => Listing.Write(
            await api.AllAsync("v1/tokens", cancel), parsed.GetValue(json), "No token is there.",
            item => Listing.Text(item, "id"), item => Listing.Time(item, "created_at"), item => Listing.Text(item, "name"),
            item => string.Join(",", (item["scopes"] as JsonArray ?? []).Select(scope => scope?.ToString())),
            item => Listing.Time(item, "revoked_at") is { Length: > 0 } revoked ? $"revoked {revoked}"
                : Listing.Time(item, "expires_at") is { Length: > 0 } end ? $"until {end}" : ""), cancel));
        return command;
    }

    private static Command Revoke()
    {
        var command = new Command("revoke", "Revoke a token: it is worth nothing from now on.");
        var id = new Argument<string>("id") { Description = "Id of the token, as ./sdxl tokens list shows it." };
        command.Arguments.Add(id);
        command.SetAction((parsed, cancel) => Listing.RunAsync(
            async api =>
            {
                await api.DeleteAsync($"v1/tokens/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}", cancel);
                Console.WriteLine($"Token {parsed.GetRequiredValue(id)} is revoked.");
            },
            cancel));
        return command;
    }
}
