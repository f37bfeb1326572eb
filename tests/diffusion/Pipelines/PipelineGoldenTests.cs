using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Schedulers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Tests.Pipelines;

/// <summary>
/// Whole trajectories of text to image, image to image, inpainting and both uses of the refiner. Pictures may differ by one level of 255: a
/// value on the border rounds either way.
/// </summary>
public sealed class PipelineGoldenTests
{
    public static TheoryData<string> TextToImage =>
        new(Golden.With("latents", "output_latents", "facts.scheduler", "!facts.high_noise_frac"));

    public static TheoryData<string> ImageToImage =>
        new(Golden.With("image_latents", "output_latents", "facts.strength", "!facts.aesthetic_score"));

    public static TheoryData<string> Inpainting => new(Golden.With("image", "mask", "output_latents", "facts.strength"));

    public static TheoryData<string> Ensembles => new(Golden.With("latents", "output_latents", "facts.high_noise_frac"));

    public static TheoryData<string> SecondPasses =>
        new(Golden.With("image_latents", "output_latents", "facts.strength", "facts.aesthetic_score"));

    [Fact]
    public void Every_golden_of_a_pipeline_is_of_one_of_these_kinds()
    {
        string[] known =
        [
            .. new IEnumerable<object[]>[] { TextToImage, ImageToImage, Inpainting, Ensembles, SecondPasses }
                .SelectMany(kind => kind.Select(row => (string)row[0]))
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(Golden.With("output_latents"), known);
    }

    [Theory]
    [MemberData(nameof(TextToImage))]
    public void Text_to_image_ends_at_the_golden_latents_and_picture(string name)
    {
        using var run = new Run(name);
        using var sampler = SamplerName.Create(run.Given.Text("scheduler"), run.Base.Schedule, run.Given.Int("steps"));
        var latents = run.Denoiser(run.Base, sampler) with { StepNoise = i => run.Given["step_noise"][i] };

        var end = latents.Run(run.Given["latents"] * Num(sampler.InitialNoiseSigma), default);

        Golden.Close(run.Given["output_latents"], end, Golden.Trajectory, "output_latents");
        if (!run.Given.Has("image"))
            return;
        using var pipeline = new SdxlPipeline(run.Base);
        for (var k = 0; k < end.shape[0]; k++)
        {
            var rgb = PictureTensors.ToRgb(pipeline.Decode(end.narrow(0, k, 1)));
            var expected = run.Given["image"][k].permute(1, 2, 0).contiguous().bytes.ToArray();
            Assert.True(expected.Zip(rgb, (a, b) => Math.Abs(a - b)).Max() <= 1, $"picture {k} differs by more than one level");
        }
    }

    [Theory]
    [MemberData(nameof(ImageToImage))]
    public void Image_to_image_ends_at_the_golden_latents(string name)
    {
        using var run = new Run(name);
        using var sampler = SamplerName.Create(run.Given.Text("scheduler"), run.Base.Schedule, run.Given.Int("steps"));
        var first = SdxlPipeline.FirstCall(sampler, run.Given.Double("strength"));
        var end = (run.Denoiser(run.Base, sampler) with { First = first }).Run(
            sampler.AddNoise(run.Given["image_latents"], run.Given["noise"], first),
            default
        );
        Golden.Close(run.Given["output_latents"], end, Golden.Trajectory, "output_latents");
    }

    [Theory]
    [MemberData(nameof(Inpainting))]
    public void Inpainting_repaints_under_the_mask_as_the_golden_says(string name)
    {
        using var run = new Run(name);
        using var sampler = SamplerName.Create(run.Given.Text("scheduler"), run.Base.Schedule, run.Given.Int("steps"));
        var latents = run.Base.Vae.Scale(run.Base.Vae.Encode(run.Given["image"]).Mean);
        var mask = F.interpolate(run.Given["mask"], [latents.shape[2], latents.shape[3]]);
        var first = SdxlPipeline.FirstCall(sampler, run.Given.Double("strength"));
        var denoiser = run.Denoiser(run.Base, sampler) with
        {
            First = first,
            Repainting = new Repainting(latents, run.Given["noise"], mask),
        };
        Golden.Close(
            run.Given["output_latents"],
            denoiser.Run(sampler.AddNoise(latents, run.Given["noise"], first), default),
            Golden.Trajectory,
            "output_latents"
        );
    }

    [Theory]
    [MemberData(nameof(Ensembles))]
    public void The_refiner_finishes_the_base_models_walk_as_the_golden_ensemble(string name)
    {
        using var run = new Run(name);
        var (steps, fraction) = (run.Given.Int("steps"), run.Given.Double("high_noise_frac"));
        using var sampler = SamplerName.Create(run.Given.Text("scheduler"), run.Base.Schedule, steps);
        var half = (run.Denoiser(run.Base, sampler) with { End = SdxlPipeline.EnsembleBorder(sampler, fraction) }).Run(
            run.Given["latents"] * Num(sampler.InitialNoiseSigma),
            default
        );
        Golden.Close(run.Given["base_latents"], half, Golden.Trajectory, "base_latents");

        using var refined = SamplerName.Create(run.Given.Text("scheduler"), run.Refiner.Schedule, steps);
        var end = (run.Denoiser(run.Refiner, refined) with { First = SdxlPipeline.EnsembleBorder(refined, fraction) }).Run(half, default);
        Golden.Close(run.Given["output_latents"], end, Golden.Trajectory, "output_latents");
    }

    [Theory]
    [MemberData(nameof(SecondPasses))]
    public void The_refiner_goes_over_a_finished_picture_as_the_golden_says(string name)
    {
        using var run = new Run(name);
        using var sampler = SamplerName.Create(run.Given.Text("scheduler"), run.Refiner.Schedule, run.Given.Int("steps"));
        var first = SdxlPipeline.FirstCall(sampler, run.Given.Double("strength"));
        var end = (run.Denoiser(run.Refiner, sampler) with { First = first }).Run(
            sampler.AddNoise(run.Given["image_latents"], run.Given["noise"], first),
            default
        );
        Golden.Close(run.Given["output_latents"], end, Golden.Trajectory, "output_latents");
    }

    /// <summary>A golden's models and conditioning.</summary>
    private sealed class Run : IDisposable
    {
        private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
        private SdxlModel? refiner;

        public Run(string name)
        {
            Given = Golden.Open(name);
            Base = SdxlModel.Load(Named("model", Golden.BaseFolder), DiffusionDevice.Cpu);
        }

        public Golden Given { get; }

        public SdxlModel Base { get; }

        public SdxlModel Refiner => refiner ??= SdxlModel.Load(Named("refiner", Golden.RefinerFolders[0]), DiffusionDevice.Cpu);

        /// <summary>The folder that the golden names, else the one that lies there.</summary>
        private string Named(string fact, string folder) =>
            Given.Facts.TryGetProperty(fact, out var name) ? Golden.Folder(name.GetString()!) : folder;

        public Denoiser Denoiser(SdxlModel model, Sampler sampler)
        {
            var facts = Given.Facts;
            string[] prompts = facts.TryGetProperty("prompts", out _) ? Given.Texts("prompts") : [Given.Text("prompt")];
            var shape = Given[Given.Names.First(n => n is "latents" or "noise")].shape;
            double Score(string name) => facts.TryGetProperty(name, out var value) ? value.GetDouble() : 0;
            var pixels = model.Vae.Config.Downscale; // a latent's side
            Guide Sized(PromptStates states, string score) =>
                new(states, SizeIds.For(model, (int)shape[2] * pixels, (int)shape[3] * pixels, Score(score), prompts.Length));

            var positive = PromptEncoder.Encode(model, prompts);
            PromptStates? negative = facts.TryGetProperty("negative_prompts", out var several)
                ? several.ValueKind == System.Text.Json.JsonValueKind.Null
                    ? null
                    : PromptEncoder.Encode(model, Given.Texts("negative_prompts"))
                : PromptEncoder.EncodeNegative(model, Given.Text("negative_prompt"), positive);
            return new Denoiser
            {
                UNet = model.UNet,
                NetType = ScalarType.Float32,
                Sampler = sampler,
                Positive = Sized(positive, "aesthetic_score"),
                Negative = negative is null ? null : Sized(negative, "negative_aesthetic_score"),
                GuidanceScale = Given.Double("guidance_scale"),
                GuidanceRescale = Score("guidance_rescale"),
            };
        }

        public void Dispose()
        {
            Given.Dispose();
            Base.Dispose();
            refiner?.Dispose();
            scope.Dispose();
        }
    }
}
