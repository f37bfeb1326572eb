using System.CommandLine;
using Sdxl.Cli.Api;
using Sdxl.Cli.Hosting;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl login URL and sdxl logout: which service the other commands speak to.</summary>
internal static class LoginCommand
{
    public static Command Create()
    {
        var command = new Command("login",
            """
            Speak to a service elsewhere from now on, not to this machine's own host. The token is read from SDXL_API_TOKEN, else from
            standard input, and kept in your settings folder for you alone. demo, up and worker stay with this machine.

            Examples:
              ./sdxl login https://sdxl.example.com
              SDXL_API_TOKEN=sdxl_… ./sdxl login https://sdxl.example.com
              ./sdxl logout                                  back to this machine
            """);
        var url = new Argument<string>("url") { Description = "Root of the service's API." };
        command.Arguments.Add(url);
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetRequiredValue(url), cancel));
        return command;
    }

    public static Command CreateLogout()
    {
        var command = new Command(
            "logout",
            "Forget the service logged in to, and its token. The other commands speak to this machine's own host again."
        );
        command.SetAction(_ =>
        {
            var wasThere = File.Exists(Remote.File);
            File.Delete(Remote.File);
            Console.WriteLine(wasThere ? "Logged out: commands speak to this machine's own host." : "You were not logged in.");
            return CommandRunner.Succeeded;
        });
        return command;
    }

    private static async Task<int> RunAsync(string url, CancellationToken cancel)
    {
        var address = Remote.Parse(url);
        var token = Environment.GetEnvironmentVariable(Remote.TokenVariable);
        if (string.IsNullOrEmpty(token))
        {
            if (!Console.IsInputRedirected)
                await Console.Error.WriteAsync($"Token for {address}: ");
            token = (await Console.In.ReadLineAsync(cancel))?.Trim();
        }
        if (string.IsNullOrEmpty(token))
            throw new CliException(
                $"No token was given. Set {Remote.TokenVariable}, or type it when asked; `./sdxl tokens create` there makes one."
            );
        using var api = new ApiClient(address, token);
        var account = await api.GetAsync("v1/account", cancel);
        new Remote(address, token).Save();
        Console.WriteLine($"Logged in at {address} as {account["username"]}. ./sdxl logout ends it.");
        return CommandRunner.Succeeded;
    }
}
