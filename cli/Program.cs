// The `sdxl` command: one line a command. `./sdxl` builds and starts it, as `dotnet run --project cli --` does.
using System.CommandLine;
using Sdxl.Cli;
using Sdxl.Cli.Commands;

var root = new RootCommand(
    """
    Fine-tune SDXL on your own pictures, on your own machine: a zip of 5 to 20 pictures in, LoRA weights and pictures out.

    The way in:
      ./sdxl demo                                  train the creature of examples/gizmo.zip and draw it (minutes, no GPU needed)
      ./sdxl train my.zip --name cat               train your own subject; in prompts it is called TOK
      ./sdxl draw "a photo of TOK on the beach"    draw with the newest training
    """)
{
    DemoCommand.Create(),
    CheckCommand.Create(),
    TrainCommand.Create(),
    DrawCommand.Create(),
    UpCommand.Create(),
    StatusCommand.Create(),
    WorkerCommand.Create(),
    CancelCommand.Create(),
    TrainingsCommand.Create(),
    ModelsCommand.Create(),
    FilesCommand.Create(),
    TokensCommand.Create(),
    SubscriptionsCommand.Create(),
    EventsCommand.Create(),
    LoginCommand.Create(),
    LoginCommand.CreateLogout(),
    SetupCommand.Create(),
    TestCommand.Create(),
    BenchCommand.Create(),
    CompletionCommand.Create(),
};
root.Options.Add(CommonOptions.Url);
return await CommandRunner.RunAsync(root, args);
