using Sdxl.Core.Hosting;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Bench.Diffusion.Port;

/// <summary>
/// The peer's steps: a dispose scope a step, torch.optim.AdamW, clip_grad_norm_, as a port of diffusers' train_dreambooth_lora_sdxl.py has
/// them. Same weights, same sizes as ours.
/// </summary>
internal static class PortSteps
{
    private const int TokenVectors = 2, Rank = 16;

    public static Result Measure(string name, int wide, int batch, int threads, int steps, Turns.Side? turn = null)
    {
        new TrainingDevice(false, threads).Apply();
        var folder = Path.Combine(Repository.Required, "models", "toy-sdxl");
        var config = OurSteps.Widened(UNetConfig.Load(Path.Combine(folder, "unet", "config.json")), wide);
        var unet = NewUNet(config, wide == 1 ? folder : null);
        foreach (var parameter in unet.parameters())
            parameter.requires_grad = name == "full";
        var times = name == "sample" ? Sampling(unet, config, batch, steps, turn) : Training(name, unet, folder, batch, steps, turn);
        return Result.Of(times);
    }

    /// <summary>The U-Net with the weights of a model's folder, which must be exactly its own; null: random ones.</summary>
    public static PortUNet NewUNet(UNetConfig config, string? folder)
    {
        var unet = new PortUNet(config);
        if (folder is null)
            OurSteps.Randomise(unet);
        else
            Load(unet, Path.Combine(folder, "unet"));
        return unet;
    }

    private static List<Span> Training(string name, PortUNet unet, string folder, int batch, int steps, Turns.Side? turn)
    {
        string[] texts = ["text_encoder", "text_encoder_2"];
        var configs = texts.Select(t => ClipTextConfig.Load(Path.Combine(folder, t, "config.json"))).ToList();
        var clips = texts
            .Zip(
                configs,
                (text, config) =>
                {
                    var clip = new PortClip(config);
                    Load(clip, Path.Combine(folder, text));
                    foreach (var parameter in clip.parameters())
                        parameter.requires_grad = false;
                    return clip;
                }
            )
            .ToList();
        var trained =
            name == "full" ? unet.parameters().ToList() : unet.modules().OfType<LoraLinear>().SelectMany(l => l.AddLora(Rank)).ToList();
        var rows = configs.Select(c => nn.Embedding(TokenVectors, c.HiddenSize)).ToList();
        var vectors = rows.Select(r => r.weight!).ToList();
        var caching = name == "lora-pivot";
        using var optimizer = new AdamW(caching ? [Group(trained, 5e-4, 1e-4)] : [Group(trained, 5e-4, 1e-4), Group(vectors, 5e-3, 1e-3)]);

        var alphas = cumprod(1 - linspace(Math.Sqrt(0.00085), Math.Sqrt(0.012), 1000).square(), 0);
        var ids = configs.Select(c => Caption(c, batch)).ToList();
        var (mean, deviation, mask, sizes) = (
            randn(batch, 4, OurSteps.Side, OurSteps.Side),
            rand(batch, 4, OurSteps.Side, OurSteps.Side) * 0.1,
            ones(batch, 1, OurSteps.Side, OurSteps.Side),
            OurSteps.Sizes(batch)
        );
        (Tensor States, Tensor Pooled) Encode()
        {
            var (first, second) = (clips[0].Encode(ids[0], rows[0], 5 + TokenVectors), clips[1].Encode(ids[1], rows[1], 5 + TokenVectors));
            return (cat([first.States, second.States], -1), second.Pooled!);
        }
        (Tensor States, Tensor Pooled)? cached = null;
        if (caching)
        {
            using var guard = no_grad();
            cached = Encode();
        }
        var everything = caching ? trained : [.. trained, .. vectors];
        return OurSteps.Timed(steps, turn, _ =>
        {
            using var scope = NewDisposeScope();
            var (z, noise, t) = (mean + deviation * randn_like(mean), randn_like(mean), randint(0, 1000, [batch], ScalarType.Int64));
            var a = alphas.index_select(0, t).view(-1, 1, 1, 1);
            var (states, pooled) = cached ?? Encode();
            var predicted = unet.call(sqrt(a) * z + sqrt(1 - a) * noise, t, states, pooled, sizes);
            var loss = (((predicted - noise).square() * mask).mean([1, 2, 3]) / mask.mean([1, 2, 3])).mean();
            optimizer.zero_grad();
            loss.backward();
            nn.utils.clip_grad_norm_(everything, 1.0);
            optimizer.step();
            loss.ToSingle();
        });
    }

    private static List<Span> Sampling(PortUNet unet, UNetConfig config, int batch, int steps, Turns.Side? turn)
    {
        using var guard = no_grad();
        var (text, pooled) = (
            randn(2 * batch, 77, config.CrossAttentionDim),
            randn(2 * batch, config.ProjectionInputDim - 6 * config.AdditionTimeEmbedDim)
        );
        var (sizes, x) = (OurSteps.Sizes(2 * batch), randn(batch, 4, OurSteps.Side, OurSteps.Side));
        return OurSteps.Timed(steps, turn, _ =>
        {
            using var scope = NewDisposeScope();
            var predicted = unet.call(cat([x, x], 0) / 1.5, full(2 * batch, 500f), text, pooled, sizes).chunk(2, 0);
            var next = x + (predicted[0] + (predicted[1] - predicted[0]) * 4) * -0.05;
            x.Dispose();
            x = next.MoveToOuterDisposeScope();
        });
    }

    private static void Load(nn.Module net, string folder)
    {
        using var source = FolderTensors.Open(folder);
        NetLoader.Fill(net, source);
    }

    private static AdamW.ParamGroup Group(IEnumerable<Parameter> parameters, double rate, double decay) =>
        new(parameters, new AdamW.Options { LearningRate = rate, weight_decay = decay });

    /// <summary>Start, a few words, the trigger's vectors, end.</summary>
    private static Tensor Caption(ClipTextConfig config, int batch)
    {
        var ids = ones([batch, 77], ScalarType.Int64);
        for (var i = 0; i < TokenVectors; i++)
            ids[TensorIndex.Colon, 4 + i] = config.VocabularySize + i;
        return ids;
    }
}
