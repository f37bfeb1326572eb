using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Hosting;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Schedulers;
using Sdxl.Diffusion.Tensors;
using Sdxl.Diffusion.Training;
using static Sdxl.Diffusion.Tensors.Number;
using static TorchSharp.torch;

namespace Sdxl.Bench.Diffusion;

/// <summary>Our steps, as the product does them, on made-up pictures of the toy's size.</summary>
internal static class OurSteps
{
    public const int Side = 16; // latent pixels
    private const long Seed = 1;

    public static Result Measure(string name, int wide, int batch, int threads, int steps, Turns.Side? turn = null)
    {
        new TrainingDevice(false, threads).Apply();
        var toy = BaseManifest.Load(Path.Combine(Repository.Required, "models"), "toy");
        using var model = SdxlModel.Load(toy.ModelPath, DiffusionDevice.Cpu);
        model.Vae.Dispose(); // the peer has none
        var unet = model.UNet;
        if (wide > 1)
        {
            var config = unet.Config;
            unet.Dispose(); // the peer does not hold it either
            unet = new UNet2DConditionModel(Widened(config, wide), Placement.CpuFloat);
            Randomise(unet);
        }
        var times = name == "sample" ? Sampling(model, unet, batch, steps, turn) : Training(name, toy, model, unet, batch, steps, turn);
        return Result.Of(times);
    }

    public static UNetConfig Widened(UNetConfig config, int factor) =>
        config with
        {
            BlockOutChannels = [.. config.BlockOutChannels.Select(w => w * factor)],
            Heads = [.. config.Heads.Select(h => h * factor)],
        };

    public static void Randomise(nn.Module net)
    {
        using var guard = no_grad();
        foreach (var (_, parameter) in net.named_parameters())
            parameter.normal_(0, 0.02);
    }

    private static List<Span> Training(
        string name,
        BaseManifest toy,
        SdxlModel model,
        UNet2DConditionModel unet,
        int batch,
        int steps,
        Turns.Side? turn
    )
    {
        var given = new JsonObject
        {
            ["train_batch_size"] = batch,
            ["is_lora"] = name != "full",
            ["seed"] = Seed,
        };
        var settings = TrainingSettings.From(TrainingInputs.Read(given, toy, "bench"), batch, false) with
        {
            Pivot = name == "lora-pivot" ? 0 : 1000,
            Steps = 1000,
        };
        var tokens = new PromptTokens(model, "TOK", settings.TokenVectors);
        var captions = Enumerable.Range(0, batch).Select(_ => tokens.Encode("a photo of TOK on the grass")).ToList();
        using var data = new TrainingData(
            randn(batch, 4, Side, Side), rand(batch, 4, Side, Side) * Num(0.1), ones(batch, 1, Side, Side), Sizes(batch),
            cat([.. captions.Select(c => c.Ids1)], 0), cat([.. captions.Select(c => c.Ids2)], 0));
        var nets = new TrainedNets(unet, model.TextEncoder!, model.TextEncoder2, model.Tokenizer!.EndOfText, model.Tokenizer2.EndOfText);
        var schedule = model.Schedule.Noise();
        using var trainer = new Trainer(
            settings,
            nets,
            data,
            new CounterNoise(Seed, batch, batch, schedule.Timesteps),
            schedule,
            ScalarType.Float32
        );
        return Timed(
            steps,
            turn,
            i =>
            {
                using var numbers = trainer.Step(i);
                numbers.Read(schedule.Timesteps);
            }
        );
    }

    private static List<Span> Sampling(SdxlModel model, UNet2DConditionModel unet, int batch, int steps, Turns.Side? turn)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        Guide NewGuide() =>
            new(
                new PromptStates(
                    randn(batch, 77, unet.Config.CrossAttentionDim),
                    randn(batch, unet.Config.ProjectionInputDim - 6 * unet.Config.AdditionTimeEmbedDim)
                ),
                Sizes(batch)
            );
        using var sampler = new EulerSampler(model.Schedule, steps + Result.BurnIn);
        var times = new List<Span>();
        var clock = new Clock();
        turn?.Take();
        clock.Lap();
        new Denoiser
        {
            UNet = unet,
            NetType = ScalarType.Float32,
            Sampler = sampler,
            Positive = NewGuide(),
            Negative = NewGuide(),
            GuidanceScale = 4,
            Progress = (_, _) =>
            {
                times.Add(clock.Lap());
                turn?.Give();
                if (times.Count < steps + Result.BurnIn)
                    turn?.Take();
                clock.Lap();
            },
        }.Run(randn(batch, 4, Side, Side), CancellationToken.None);
        return times;
    }

    public static List<Span> Timed(int steps, Turns.Side? turn, Action<int> step)
    {
        var (times, clock) = (new List<Span>(), new Clock());
        for (var i = 0; i < steps + Result.BurnIn; i++)
        {
            turn?.Take();
            clock.Lap();
            step(i);
            times.Add(clock.Lap());
            turn?.Give();
        }
        return times;
    }

    public static Tensor Sizes(int batch) => tensor(new float[] { 128, 128, 0, 0, 128, 128 }).unsqueeze(0).expand(batch, 6).contiguous();
}
