using System.Globalization;
using System.Text.RegularExpressions;
using Sdxl.Cli.Api;
using Sdxl.Cli.Show;

namespace Sdxl.Cli.Trainings;

/// <summary>Follows a training to its end and shows what happens.</summary>
/// <param name="goesOn">Whether the training goes on when this command ends: its host is not this command's.</param>
internal sealed partial class TrainingFollower(ApiClient api, IShow show, bool goesOn = false)
{
    private const string WarningLine = "Warning: ";

    private const int AppearSeconds = 60; // a blob trigger on a busy machine
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(400);

    private string stage = "";
    private int logRead;
    private int lastStep = -1;
    private int pictures;
    private readonly HashSet<string> warned = new(StringComparer.Ordinal);

    /// <summary>The finished training. Cancellation cancels the training too, and waits until it says so, unless it goes on.</summary>
    /// <exception cref="CliException">It failed, or was canceled by somebody else.</exception>
    public async Task<TrainingView> FollowAsync(string id, CancellationToken cancel)
    {
        try
        {
            var training = await AppearAsync(id, cancel);
            while (!training.IsOver)
            {
                Tell(training);
                await Task.Delay(PollEvery, cancel);
                training =
                    await api.TrainingAsync(id, cancel)
                    ?? throw new CliException($"Training {id} is gone: its record was removed from storage.");
            }
            Tell(training);
            return training.Status switch
            {
                "succeeded" => training,
                "canceled" => throw new CliException($"Training {id} was canceled."),
                _ => throw new CliException(training.Error ?? $"Training {id} failed without saying why; its log: {training.Logs}"),
            };
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            if (goesOn)
                show.Note($"training {id} goes on: ./sdxl trainings logs {id} -f follows it, ./sdxl trainings cancel {id} ends it");
            else
                await CancelAsync(id);
            throw;
        }
    }

    /// <summary>Asks the training to stop and gives it 90 seconds (the orchestration waits one minute for the worker).</summary>
    public async Task CancelAsync(string id)
    {
        show.Note($"canceling training {id}");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        try
        {
            var training = await api.CancelTrainingAsync(id, patience.Token);
            while (training is { IsOver: false })
            {
                await Task.Delay(PollEvery, patience.Token);
                training = await api.TrainingAsync(id, patience.Token);
            }
            show.Note(training is null ? "it had not begun" : $"training {id} is {training.Status}");
        }
        catch (Exception e) when (e is HttpRequestException or CliException or OperationCanceledException)
        {
            show.Warning($"training {id} did not say that it stopped; look with ./sdxl status {id}");
        }
    }

    private async Task<TrainingView> AppearAsync(string id, CancellationToken cancel)
    {
        for (var waited = TimeSpan.Zero; waited.TotalSeconds < AppearSeconds; waited += PollEvery)
        {
            if (await api.TrainingAsync(id, cancel) is { } training)
                return training;
            await Task.Delay(PollEvery, cancel);
        }
        throw new CliException(
            $"The archive was uploaded, but no training began within {AppearSeconds} s. The host's log says why: "
                + $"{Path.Combine(Places.Home, "logs")}"
        );
    }

    private void Tell(TrainingView training)
    {
        if (training.Stage != stage)
        {
            // Polling misses the last picture and the last steps: a stage that gave way to the next is whole.
            if (stage == "prepare" && training.Status != "failed" && pictures > 0)
                show.Parts(pictures, pictures);
            if (stage == "train" && training.Stage is "publish" or "done" && training.TotalSteps > 0 && lastStep < training.TotalSteps)
                show.Steps(training.TotalSteps, training.TotalSteps, training.Loss, training.StepsPerSecond, null);
            stage = training.Stage;
            TellStage(training);
        }
        TellLog(training.Logs);
        foreach (var warning in training.Warnings)
            WarnOnce(warning);
        if (stage == "prepare" && training.Pictures > 0)
        {
            pictures = training.Pictures;
            show.Parts(training.PicturesDone, pictures);
        }
        if (stage == "train" && training.TotalSteps > 0 && training.Step != lastStep)
        {
            lastStep = training.Step;
            show.Steps(training.Step, training.TotalSteps, training.Loss, training.StepsPerSecond, training.SecondsLeft);
        }
    }

    private void TellStage(TrainingView training)
    {
        switch (stage)
        {
            case "unpack":
                show.Stage("unpack", "the archive");
                break;
            case "prepare":
                show.Stage("pictures", "captions, masks, crops");
                break;
            case "train":
                show.Stage("train", $"{training.Model} on {training.Base}");
                break;
            case "publish":
                show.Stage("publish", $"the weights of {training.Model}");
                break;
        }
    }

    /// <summary>New whole lines of the log: captions as they come, the worker's device, other news.</summary>
    private void TellLog(string log)
    {
        var end = log.LastIndexOf('\n') + 1;
        if (end <= logRead)
            return;
        var lines = log[logRead..end].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        logRead = end;
        foreach (var line in lines)
        {
            if (SkippedLine().Match(line) is { Success: true } skipped)
            {
                WarnOnce($"{skipped.Groups["name"].Value} was skipped: {skipped.Groups["reason"].Value}");
            }
            else if (line.StartsWith(WarningLine, StringComparison.Ordinal))
            {
                WarnOnce(line[WarningLine.Length..]);
            }
            else if (PictureLine().Match(line) is { Success: true } picture)
            {
                show.Caption(
                    int.Parse(picture.Groups["index"].Value, CultureInfo.InvariantCulture),
                    int.Parse(picture.Groups["total"].Value, CultureInfo.InvariantCulture),
                    picture.Groups["name"].Value,
                    picture.Groups["caption"].Value
                );
            }
            else if (NoteLine().IsMatch(line))
                show.Note(line);
        }
    }

    private void WarnOnce(string warning)
    {
        if (warned.Add(warning))
            show.Warning(warning);
    }

    // Written by the activities PreparePicture and UnpackArchive.
    [GeneratedRegex(@"Picture (?<index>\d+)/(?<total>\d+) (?<name>.+?): (?<caption>.*)$")]
    private static partial Regex PictureLine();

    [GeneratedRegex(@"(Picture \d+/\d+|File) (?<name>.+?) skipped: (?<reason>.*)$")]
    private static partial Regex SkippedLine();

    [GeneratedRegex("^(Unpacked|Training on|Data set ready|[\\d,]+ further files? skipped)")]
    private static partial Regex NoteLine();
}
