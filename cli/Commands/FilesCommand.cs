using System.CommandLine;
using System.Globalization;

namespace Sdxl.Cli.Commands;

/// <summary>sdxl files: list, upload, delete.</summary>
internal static class FilesCommand
{
    public static Command Create() => new("files",
        """
        Look after files that were sent to be inputs of trainings and predictions.

        Example:
          ./sdxl files upload my.zip                   its address is what input_images may be, any number of times
        """)
    {
        List(), Upload(), Delete(),
    };

    private static Command List()
    {
        var command = new Command("list", "List your files, newest first.");
        var json = CommonOptions.Json();
        command.Options.Add(json);
        command.SetAction(
            (parsed, cancel) =>
                Listing.RunAsync(
                    async api =>
                        Listing.Write(
                            await api.AllAsync("v1/files", cancel),
                            parsed.GetValue(json),
                            "No file is there.",
                            item => Listing.Text(item, "id"),
                            item => Listing.Time(item, "created_at"),
                            item =>
                                string.Create(CultureInfo.InvariantCulture, $"{item["size"]!.GetValue<long>() / 1024.0:N0} KiB")
                                    .PadLeft(12),
                            item => Listing.Text(item, "name"),
                            item => Listing.Time(item, "expires_at") is { Length: > 0 } end ? $"until {end}" : ""
                        ),
                    cancel
                )
        );
        return command;
    }

    private static Command Upload()
    {
        var command = new Command("upload", "Send a file. Its address is printed.");
        var path = new Argument<string>("path") { Description = "The file." };
        var json = CommonOptions.Json();
        command.Arguments.Add(path);
        command.Options.Add(json);
        command.SetAction((parsed, cancel) => Listing.RunAsync(
            async api =>
            {
                var file = parsed.GetRequiredValue(path);
                if (!File.Exists(file))
                    throw new CliException($"There is no file '{file}'.");
                var sent = await api.UploadAsync(file, cancel);
                if (parsed.GetValue(json))
                    Listing.Write(sent);
                else
                    Console.WriteLine(sent["urls"]!["get"]);
            },
            cancel));
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "Delete a file. Jobs that were begun with it keep their own copy.");
        var id = new Argument<string>("id") { Description = "Id of the file." };
        command.Arguments.Add(id);
        command.SetAction((parsed, cancel) => Listing.RunAsync(
            async api =>
            {
                await api.DeleteAsync($"v1/files/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}", cancel);
                Console.WriteLine($"File {parsed.GetRequiredValue(id)} is deleted.");
            },
            cancel));
        return command;
    }
}
