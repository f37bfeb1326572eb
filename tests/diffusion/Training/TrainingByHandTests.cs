using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sdxl.Core.Datasets;
using Sdxl.Core.Json;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Training;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>
/// A run in which no weight moves, so that every step's loss can be worked out here from the pictures, the masks, the captions and the
/// seed.
/// </summary>
[Collection("Training runs")]
public sealed class TrainingByHandTests : IDisposable
{
    private const int Side = 64, Batch = 2, Steps = 5, Seed = 11;

    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_steps_loss_is_that_of_its_pictures_noise_timesteps_masks_and_sizes(bool zeroTerminalVelocity)
    {
        GiveMasksAndSizes();
        var given = Idle();
        if (zeroTerminalVelocity)
        {
            given["prediction_type"] = "v_prediction";
            given["zero_terminal_snr"] = true;
        }
        var run = runs.Start("hand", given);

        var expected = ByHand(zeroTerminalVelocity);
        Assert.Equal(Steps, run.Observer.Steps.Count);
        foreach (var (step, samples) in expected)
        {
            var metrics = run.Observer.Steps[step];
            Close.To(samples.Average(s => s.Loss), metrics.Loss, Close.Pass, $"loss of step {step}");
            for (var bin = 0; bin < 10; bin++)
            {
                var inBin = samples.Where(s => s.Timestep / 100 == bin).ToList();
                Assert.Equal(inBin.Count > 0, metrics.LossByTimestep[bin].HasValue);
                if (inBin.Count > 0)
                    Close.To(
                        inBin.Average(s => s.Loss),
                        metrics.LossByTimestep[bin]!.Value,
                        Close.Pass,
                        $"loss of step {step} in bin {bin}"
                    );
            }
        }
        // so that the comparison above can fail: different pictures, early and late timesteps
        Assert.Equal(4, expected.SelectMany(e => e.Value).Select(s => s.Picture).Distinct().Count());
        Assert.Contains(expected.SelectMany(e => e.Value), s => s.Timestep > 700);
        Assert.Contains(expected.SelectMany(e => e.Value), s => s.Timestep < 300);
    }

    [Theory]
    [InlineData(1, new[] { 2 }, 16)]
    [InlineData(2, new[] { 1, 3 }, 16)]
    public void A_picture_held_out_is_never_trained_on_and_its_error_is_measured_at_each_row_and_the_end(
        int count, int[] unseen, int samples)
    {
        GiveMasksAndSizes();
        var given = Idle();
        given["held_out_pictures"] = count;
        given["sample_every_steps"] = 2;
        var run = runs.Start("held", given);

        var trained = Enumerable.Range(0, 4).Except(unseen).ToArray();
        foreach (var (step, hand) in ByHand(false, trained))
            Close.To(hand.Average(s => s.Loss), run.Observer.Steps[step].Loss, Close.Pass, $"loss of step {step}");
        using var model = SdxlModel.Load(runs.Model, DiffusionDevice.Cpu);
        var timesteps = model.Schedule.TrainTimesteps;
        var expected = Enumerable.Range(0, samples).Average(sample => Loss(
            model, unseen[sample % count], (2 * sample + 1) * timesteps / (2 * samples), false,
            shape => CounterRandom.Normal(Seed, RandomPurpose.TrainHeldOut, 0, sample, shape), posteriorOf: null));
        Assert.Equal([2, 4, 5], run.Observer.Steps.Where(m => m.HeldOut is not null).Select(m => m.Step));
        foreach (var metrics in run.Observer.Steps.Where(m => m.HeldOut is not null))
            Close.To(expected, metrics.HeldOut!.Value, Close.Pass, $"error on the pictures held out after step {metrics.Step}");
        Assert.Contains(
            $"Held out of the training, to measure by: {string.Join(", ", unseen.Select(i => Manifest().Pictures[i].Name))}.",
            run.Observer.Lines);
    }

    [Fact]
    public void A_line_of_the_log_has_the_steps_time_speed_and_the_memory_held()
    {
        var run = runs.Start("log", Idle());
        foreach (var line in MetricsLog.Read(Path.Combine(run.Plan.WorkFolder, MetricsLog.FileName)))
        {
            Assert.InRange(line.Milliseconds, 0.1, 1e6);
            Assert.Equal(Batch * 1000 / line.Milliseconds, line.PicturesPerSecond, line.PicturesPerSecond * 0.01);
            Assert.InRange(line.PeakMebibytes, 50, 1e6); // libtorch alone is more
            Assert.Equal(Steps, line.TotalSteps);
        }
    }

    [Fact]
    public void The_text_encoders_are_freed_at_the_pivot()
    {
        var live = new Dictionary<int, long>();
        var given = Idle();
        given["ti_fraction"] = 0.6; // the pivot: step 3 of 5
        runs.Start(
            "freed",
            given,
            new TinyRuns.Recorder { OnStep = m => live[m.Step] = DisposeScopeManager.Statistics.ThreadTotalLiveCount }
        );
        using var model = SdxlModel.Load(runs.Model, DiffusionDevice.Cpu);
        var weights = model.TextEncoder!.parameters().Count() + model.TextEncoder2.parameters().Count();
        Assert.True(
            live[3] - live[4] >= weights / 2,
            $"{live[3]} tensors before the pivot, {live[4]} after it; the encoders have {weights}"
        );
    }

    [Fact]
    public void The_report_plots_the_loss_and_tables_it_by_timestep()
    {
        var given = Idle();
        given["max_train_steps"] = 8;
        var run = runs.Start("report", given);
        var report = File.ReadAllText(Path.Combine(run.Plan.OutputFolder, TrainingExport.ReportName));

        var points = Regex
            .Match(report, "<polyline[^>]*points=\"([^\"]*)\"")
            .Groups[1]
            .Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(p => p.Split(','))
            .Select(p => (X: Number(p[0]), Y: Number(p[1])))
            .ToList();
        Assert.Equal(8, points.Count);
        Assert.Equal(points.OrderBy(p => p.X), points);
        // The higher the loss, the higher the point, that is, the smaller its y.
        Assert.Equal(
            run.Observer.Steps.OrderBy(s => s.Loss).Select(s => s.Step),
            points.Select((p, i) => (p.Y, Step: i + 1)).OrderByDescending(p => p.Y).Select(p => p.Step)
        );

        var rows = Regex.Matches(report, "<tr><td>([0-9]+)–([0-9]+)</td><td>([^<]*)</td><td>([^<]*)</td></tr>");
        Assert.Equal(10, rows.Count);
        for (var bin = 0; bin < 10; bin++)
        {
            Assert.Equal(($"{bin * 100}", $"{bin * 100 + 99}"), (rows[bin].Groups[1].Value, rows[bin].Groups[2].Value));
            Assert.Equal(Mean(run.Observer.Steps.Take(4), bin), rows[bin].Groups[3].Value);
            Assert.Equal(Mean(run.Observer.Steps.Skip(4), bin), rows[bin].Groups[4].Value);
        }

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
        static string Mean(IEnumerable<StepMetrics> steps, int bin) =>
            steps.Select(s => s.LossByTimestep[bin]).OfType<double>().ToList() is { Count: > 0 } values
                ? values.Average().ToString("0.0000", CultureInfo.InvariantCulture)
                : "–";
    }

    private static JsonObject Idle() =>
        new()
        {
            ["seed"] = Seed,
            ["resolution"] = Side,
            ["train_batch_size"] = Batch,
            ["max_train_steps"] = Steps,
            ["lora_rank"] = 4,
            ["lora_lr"] = 0,
            ["ti_lr"] = 0,
            ["ti_fraction"] = 0,
            ["lr_warmup_steps"] = 0,
            ["checkpointing_steps"] = 100,
        };

    /// <summary>Masks that count in one corner only, and crops out of larger pictures, other ones for each.</summary>
    private void GiveMasksAndSizes()
    {
        runs.ChangeManifest(m =>
            m with
            {
                Pictures =
                [
                    .. m.Pictures.Select(
                        (p, i) =>
                            p with
                            {
                                OriginalWidth = 900 + 100 * i,
                                OriginalHeight = 300 + 50 * i,
                                CropLeft = 7 + 20 * i,
                                CropTop = 3 + i,
                            }
                    ),
                ],
            }
        );
        var masks = Directory.GetFiles(Path.Combine(runs.Dataset, "masks")).Order(StringComparer.Ordinal).ToList();
        for (var i = 0; i < masks.Count; i++)
        {
            using var mask = new Image<L8>(Side, Side, new L8(0));
            for (var y = 0; y < 20 + 5 * i; y++)
            {
                for (var x = 0; x < 30; x++)
                    mask[x, y] = new L8(200);
            }
            mask.SaveAsPng(masks[i]);
        }
    }

    private sealed record Sample(int Picture, int Timestep, double Loss);

    /// <param name="trained">The pictures that are trained on, by their places in the data set; null: all.</param>
    private Dictionary<int, List<Sample>> ByHand(bool zeroTerminalVelocity, int[]? trained = null)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var model = SdxlModel.Load(runs.Model, DiffusionDevice.Cpu);
        var own = trained ?? [.. Enumerable.Range(0, Manifest().Pictures.Count)];
        var result = new Dictionary<int, List<Sample>>();
        for (var step = 0; step < Steps; step++)
        {
            result[step] = [];
            for (var i = 0; i < Batch; i++)
            {
                var (epoch, position) = Math.DivRem(step * Batch + i, own.Length);
                var index = own[CounterRandom.Permutation(Seed, RandomPurpose.TrainOrder, epoch, own.Length)[position]];
                var t = CounterRandom.Integer(Seed, RandomPurpose.TrainTimestep, step, i, model.Schedule.TrainTimesteps);
                var loss = Loss(
                    model, index, t, zeroTerminalVelocity,
                    shape => CounterRandom.Normal(Seed, RandomPurpose.TrainNoise, step, i, shape),
                    shape => CounterRandom.Normal(Seed, RandomPurpose.TrainPosterior, step, i, shape));
                result[step].Add(new Sample(index, t, loss));
            }
        }
        return result;
    }

    private DatasetManifest Manifest() =>
        SdxlJson.Deserialize<DatasetManifest>(File.ReadAllText(Path.Combine(runs.Dataset, "manifest.json")));

    private double Loss(
        SdxlModel model, int index, int t, bool zeroTerminalVelocity, Func<long[], Tensor> noiseOf, Func<long[], Tensor>? posteriorOf)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var picture = Manifest().Pictures[index];
        var alphas = (zeroTerminalVelocity ? model.Schedule with { ZeroTerminalSnr = true } : model.Schedule).Noise().AlphasCumprod;
        Tensor Rows(int encoder, Tensor table) =>
            CounterRandom.Normal(Seed, RandomPurpose.InitialTokens, 0, encoder, 2, table.shape[1]) * table.std(unbiased: true);
        var (rows1, rows2) = (Rows(0, model.TextEncoder!.TokenRows), Rows(1, model.TextEncoder2.TokenRows));
        var (tokens1, tokens2) = (model.Tokenizer!.WithAddedTokens(["<s0>", "<s1>"]), model.Tokenizer2.WithAddedTokens(["<s0>", "<s1>"]));

        using var image = Image.Load<Rgb24>(Path.Combine(runs.Dataset, picture.File));
        var pixels = new byte[Side * Side * 3];
        image.CopyPixelDataTo(pixels);
        var posterior = model.Vae.Encode(
            tensor(pixels).view(1, Side, Side, 3).permute(0, 3, 1, 2).to_type(ScalarType.Float32) / Num(127.5) - Num(1)
        );
        long[] shape = posterior.Mean.shape;
        var z = model.Vae.Scale(posteriorOf is null ? posterior.Mean : posterior.Mean.Plus(posterior.Deviation() * posteriorOf(shape)));
        var noise = noiseOf(shape);
        var (a, s) = (Math.Sqrt(alphas[t]), Math.Sqrt(1 - alphas[t]));
        var target = zeroTerminalVelocity ? noise * Num(a) - z * Num(s) : noise;

        var caption = picture.Caption.Replace("TOK", "<s0><s1>", StringComparison.Ordinal);
        Tensor Ids(Sdxl.Core.Text.ClipTokenizer tokens) =>
            tensor(Array.ConvertAll(tokens.Encode(caption), id => (long)id)).unsqueeze(0);
        var first = model.TextEncoder.forward(Ids(tokens1), tokens1.EndOfText, rows1);
        var second = model.TextEncoder2.forward(Ids(tokens2), tokens2.EndOfText, rows2);
        float[] sizes = [picture.OriginalHeight, picture.OriginalWidth, picture.CropTop, picture.CropLeft, Side, Side];
        var answer = model.UNet.call(
            (z * Num(a)).Plus(noise * Num(s)),
            tensor(new long[] { t }),
            cat([first.Penultimate, second.Penultimate], -1),
            second.Pooled!,
            tensor(sizes).unsqueeze(0)
        );

        using var maskImage = Image.Load<L8>(Path.Combine(runs.Dataset, picture.MaskFile));
        var grey = new byte[Side * Side];
        maskImage.CopyPixelDataTo(grey);
        var factor = Side / shape[^1];
        var mask = nn.functional.avg_pool2d(
            tensor(grey).view(1, 1, Side, Side).to_type(ScalarType.Float32) / Num(255),
            [factor, factor],
            [factor, factor]
        );
        return (((answer - target).Squared() * mask).mean() / mask.mean()).AsDouble();
    }
}
