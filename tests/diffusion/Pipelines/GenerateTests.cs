using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Safety;
using Sdxl.Diffusion.Schedulers;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Tests.Pipelines;

/// <summary>
/// Each setting of a request reaches the walk it is for: pictures are compared, to the bit, with the denoiser (which the goldens test)
/// driven by hand, with a fine-tune whose trigger word stands in both prompts.
/// </summary>
public sealed class GenerateTests : IDisposable
{
    private const int Side = 64, Seed = 11;

    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-generate-").FullName;
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly SdxlPipeline pipeline = SdxlPipeline.Load(Golden.BaseFolder, Golden.RefinerFolders[0], DiffusionDevice.Cpu);
    private readonly SdxlModel refiner = SdxlModel.Load(Golden.RefinerFolders[0], DiffusionDevice.Cpu);
    private readonly Tensor rows1, rows2;

    public GenerateTests()
    {
        rows1 = CounterRandom.Normal(3, RandomPurpose.InitialWeights, 0, 0, 2, pipeline.Model.TextEncoder!.Config.HiddenSize);
        rows2 = CounterRandom.Normal(3, RandomPurpose.InitialWeights, 0, 1, 2, pipeline.Model.TextEncoder2.Config.HiddenSize);
        EmbeddingFile.WriteWebUi(Path.Combine(folder, "TOK.safetensors"), rows1, rows2);
        using var tune = FineTune.Load(Path.Combine(folder, "TOK.safetensors"));
        pipeline.Apply(tune, 1);
    }

    public void Dispose()
    {
        pipeline.Dispose();
        refiner.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static readonly GenerationSettings s_plain = new()
    {
        Prompt = "a photo of tok on the grass",
        NegativePrompt = "a blurry TOK",
        Width = Side,
        Height = Side,
        Steps = 8,
        GuidanceScale = 5,
        Seed = Seed,
        ApplyWatermark = false,
    };

    /// <summary>Name, the settings it changes.</summary>
    private static readonly Dictionary<string, Func<GenerationSettings, GenerationSettings>> s_cases = new()
    {
        ["plain"] = s => s,
        ["negative_prompt without the word"] = s => s with { NegativePrompt = "a blurry cat" },
        ["guidance_scale"] = s => s with { GuidanceScale = 2 },
        ["no guidance"] = s => s with { GuidanceScale = 1 },
        ["guidance_rescale"] = s => s with { GuidanceRescale = 0.7 },
        ["steps"] = s => s with { Steps = 5 },
        ["scheduler DDIM"] = s => s with { Scheduler = "DDIM" },
        ["scheduler HeunDiscrete"] = s => s with { Scheduler = "HeunDiscrete" },
        ["scheduler K_EULER_ANCESTRAL"] = s => s with { Scheduler = "K_EULER_ANCESTRAL" },
        ["image"] = s => s with { Image = Square(200, 40, 60) },
        ["image, prompt_strength"] = s => s with { Image = Square(200, 40, 60), PromptStrength = 0.4 },
        ["image, prompt_strength 1"] = s => s with { Image = Square(200, 40, 60), PromptStrength = 1 },
        ["image, mask"] = s => s with { Image = Square(200, 40, 60), Mask = Halves(), PromptStrength = 0.6 },
        ["expert_ensemble"] = s => s with { Refine = RefineMode.ExpertEnsemble },
        ["expert_ensemble, high_noise_frac"] = s => s with { Refine = RefineMode.ExpertEnsemble, HighNoiseFrac = 0.4 },
        ["expert_ensemble, ancestral"] = s =>
            s with
            {
                Refine = RefineMode.ExpertEnsemble,
                HighNoiseFrac = 0.5,
                Scheduler = "K_EULER_ANCESTRAL",
            },
        ["base_image"] = s => s with { Refine = RefineMode.BaseImage, RefineStrength = 0.5 },
        ["base_image, refine_steps"] = s => s with { Refine = RefineMode.BaseImage, RefineStrength = 0.5, RefineSteps = 5 },
        ["base_image, strength"] = s => s with { Refine = RefineMode.BaseImage, RefineStrength = 0.25 },
        ["base_image, aesthetic_score"] = s => s with { Refine = RefineMode.BaseImage, RefineStrength = 0.5, AestheticScore = 9 },
        ["base_image, negative_aesthetic_score"] = s =>
            s with
            {
                Refine = RefineMode.BaseImage,
                RefineStrength = 0.5,
                NegativeAestheticScore = 9,
            },
        ["base_image, guidance_rescale"] = s => s with { Refine = RefineMode.BaseImage, RefineStrength = 0.5, GuidanceRescale = 0.7 },
    };

    public static TheoryData<string> Cases => new(s_cases.Keys);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_picture_is_the_walk_that_its_settings_describe(string name)
    {
        var settings = s_cases[name](s_plain);
        var drawn = Draw(settings);
        Assert.True(ByHand(settings).AsSpan().SequenceEqual(drawn), "the picture is another one");
    }

    [Fact]
    public void Every_setting_changes_the_picture() // else the test above could not tell
    {
        var drawn = s_cases.ToDictionary(c => c.Key, c => Convert.ToHexString(Draw(c.Value(s_plain))));
        Assert.Equal(drawn.Count, drawn.Values.Distinct().Count());
    }

    private byte[] Draw(GenerationSettings settings) => pipeline.Generate(settings, null, CancellationToken.None)[0].Rgb;

    // ---- the same by hand

    private byte[] ByHand(GenerationSettings settings)
    {
        using var guard = no_grad();
        using var one = NewDisposeScope();
        var (model, vae) = (pipeline.Model, pipeline.Model.Vae);
        using var sampler = SamplerName.Create(settings.Scheduler, model.Schedule, settings.Steps);
        var ensemble = settings.Refine == RefineMode.ExpertEnsemble;
        string[] names = ["<s0>", "<s1>"];
        var tokens = new NewTokens(model.Tokenizer!.WithAddedTokens(names), model.Tokenizer2.WithAddedTokens(names), rows1, rows2);

        Tensor start;
        var first = 0;
        Repainting? repainting = null;
        if (settings.Image is null)
            start = Noise(RandomPurpose.SampleLatent, 0) * Num(sampler.InitialNoiseSigma);
        else
        {
            var picture = vae.Scale(vae.Encode(PictureTensors.Load(settings.Image, Side, Side)).Mean);
            var noise = Noise(RandomPurpose.SampleStart, 0);
            first = (settings.Steps - (int)(settings.Steps * settings.PromptStrength)) * sampler.CallsPerStep;
            start = settings.PromptStrength == 1 ? noise * Num(sampler.InitialNoiseSigma) : sampler.AddNoise(picture, noise, first);
            if (settings.Mask is not null)
                repainting = new Repainting(
                    picture,
                    noise,
                    F.interpolate(PictureTensors.LoadMask(settings.Mask, Side, Side), [picture.shape[2], picture.shape[3]])
                );
        }
        var walk = Walk(model, sampler, tokens, settings, step => Noise(RandomPurpose.SampleStep, step));
        var latents = (
            walk with
            {
                First = first,
                End = ensemble ? Below(sampler, settings.HighNoiseFrac) : null,
                Repainting = repainting,
            }
        ).Run(start, default);
        if (settings.Refine != RefineMode.None)
            latents = Refined(settings, latents);
        return PictureTensors.ToRgb(vae.Decode(vae.Unscale(latents)));
    }

    private Tensor Refined(GenerationSettings settings, Tensor latents)
    {
        var ensemble = settings.Refine == RefineMode.ExpertEnsemble;
        var steps = ensemble ? settings.Steps : settings.RefineSteps ?? settings.Steps;
        var sampler = SamplerName.Create(settings.Scheduler, refiner.Schedule, steps);
        var tokens = new NewTokens(null, refiner.Tokenizer2.WithAddedTokens(["<s0>", "<s1>"]), null, rows2);
        var first = ensemble
            ? Below(sampler, settings.HighNoiseFrac)
            : (steps - (int)(steps * settings.RefineStrength)) * sampler.CallsPerStep;
        var start = ensemble ? latents : sampler.AddNoise(latents, Noise(RandomPurpose.SampleStart, 1), first);
        return (
            Walk(refiner, sampler, tokens, settings, step => Noise(RandomPurpose.SampleStep, settings.Steps + step)) with
            {
                First = first,
            }
        ).Run(start, default);
    }

    private static Denoiser Walk(
        SdxlModel model,
        Sampler sampler,
        NewTokens tokens,
        GenerationSettings settings,
        Func<int, Tensor> stepNoise
    )
    {
        static string Spelled(string prompt) => prompt.Replace("TOK", "<s0><s1>", StringComparison.OrdinalIgnoreCase);
        var positive = PromptEncoder.Encode(model, [Spelled(settings.Prompt)], tokens);
        var negative = PromptEncoder.Encode(model, [Spelled(settings.NegativePrompt)], tokens);
        return new Denoiser
        {
            UNet = model.UNet, NetType = ScalarType.Float32, Sampler = sampler, StepNoise = stepNoise,
            Positive = new Guide(positive, SizeIds.For(model, Side, Side, settings.AestheticScore, 1)),
            Negative =
                settings.GuidanceScale <= 1
                    ? null
                    : new Guide(negative, SizeIds.For(model, Side, Side, settings.NegativeAestheticScore, 1)),
            GuidanceScale = settings.GuidanceScale,
            GuidanceRescale = settings.GuidanceRescale,
        };
    }

    /// <summary>Calls at the noise levels that are the base model's.</summary>
    private static int Below(Sampler sampler, double fraction) => sampler.Timesteps.Count(t => t >= 1000 - fraction * 1000);

    private Tensor Noise(RandomPurpose purpose, long step)
    {
        var vae = pipeline.Model.Vae.Config;
        return CounterRandom.Normal(Seed, purpose, step, 0, 1, vae.LatentChannels, Side / vae.Downscale, Side / vae.Downscale);
    }

    private static byte[] Square(byte r, byte g, byte b)
    {
        using var image = new Image<Rgb24>(Side, Side, new Rgb24(r, g, b));
        return Png(image);
    }

    private static byte[] Halves()
    {
        using var image = new Image<L8>(Side, Side);
        for (var y = 0; y < Side; y++)
        {
            for (var x = Side / 2; x < Side; x++)
                image[x, y] = new L8(255);
        }
        return Png(image);
    }

    private static byte[] Png(Image image)
    {
        using var stream = new MemoryStream();
        image.SaveAsPng(stream);
        return stream.ToArray();
    }

    // ---- what comes after the walk

    [Fact]
    public void A_flagged_picture_is_black_keeps_its_place_and_leaves_the_others_as_they_are()
    {
        var settings = s_plain with { NumOutputs = 3, Steps = 2 };
        var plain = pipeline.Generate(settings, null, default);
        var source = Path.GetDirectoryName(
            Directory
                .GetFiles(TestPaths.Goldens, "preprocessor_config.json", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .First()
        )!;
        // The golden's checker, its thresholds moved so that the concept nearest to one of the three pictures takes exactly that one.
        Tensor cosines;
        using (var checker = SafetyChecker.Load(source, DiffusionDevice.Cpu))
            cosines = cat([.. plain.Select(p => checker.Score(checker.Pixels(p.Rgb, Side, Side)).Concepts)], 0);            // [3,17]
        var (sorted, _) = cosines.sort(0, descending: true);
        var gaps = sorted[0] - sorted[1];
        var concept = gaps.argmax().item<long>();
        Assert.True(gaps[concept].item<float>() > 0.004f, "the three pictures are too alike for this test");
        var flagged = (int)cosines.select(1, concept).argmax().item<long>();
        var thresholds = ones(cosines.shape[1]) * Num(2);
        thresholds[concept] = sorted[0, concept].Plus(sorted[1, concept]) / Num(2);
        var folderOfChecker = Path.Combine(folder, "base", "safety_checker");
        foreach (var file in Directory.GetFiles(source, "*.json"))
        {
            Directory.CreateDirectory(folderOfChecker);
            File.Copy(file, Path.Combine(folderOfChecker, Path.GetFileName(file)));
        }
        using (var weights = SafetensorsFile.Open(Directory.GetFiles(source, "*.safetensors").Single()))
        {
            SafetensorsWriter.Write(
                Path.Combine(folderOfChecker, "model.safetensors"),
                weights.Entries.Keys.Select(k =>
                    KeyValuePair.Create(
                        k,
                        k switch
                        {
                            "concept_embeds_weights" => thresholds,
                            "special_care_embeds_weights" => weights.Read(k) * Num(0) + Num(2),
                            _ => weights.Read(k),
                        }
                    )
                )
            );
        }

        using var checking = new SdxlPipeline(
            SdxlModel.Load(Golden.BaseFolder, DiffusionDevice.Cpu),
            null,
            SafetyChecker.Load(folderOfChecker, DiffusionDevice.Cpu)
        );
        using (var tune = FineTune.Load(Path.Combine(folder, "TOK.safetensors")))
            checking.Apply(tune, 1);
        Assert.True(checking.ChecksSafety);
        var drawn = checking.Generate(settings, null, default);
        Assert.Equal([0, 1, 2], drawn.Select(p => p.Index));
        for (var k = 0; k < 3; k++)
        {
            Assert.Equal(k == flagged, drawn[k].Flagged);
            Assert.Equal(k == flagged ? new byte[3 * Side * Side] : plain[k].Rgb, drawn[k].Rgb);
        }
        var unchecked_ = checking.Generate(settings with { CheckSafety = false }, null, default);
        Assert.All(unchecked_, p => Assert.False(p.Flagged));
        Assert.Equal(plain[flagged].Rgb, unchecked_[flagged].Rgb);
    }

    [Fact]
    public void Tiles_fade_into_each_other_across_their_overlap()
    {
        using var guard = no_grad();
        var vae = pipeline.Model.Vae;
        const int tile = 16, width = 24; // two tiles, at 0..16 and 8..24
        var zoom = vae.Config.Downscale;
        var latent = CounterRandom.Normal(5, RandomPurpose.InitialWeights, 0, 0, 1, vae.Config.LatentChannels, 8, width);
        var (left, right) = (vae.Decode(latent.narrow(3, 0, tile)), vae.Decode(latent.narrow(3, width - tile, tile)));
        var picture = TiledDecoder.Decode(vae, latent, tile);

        Assert.Equal(0, (picture.narrow(3, 0, 8 * zoom) - left.narrow(3, 0, 8 * zoom)).abs().max().item<float>(), 1e-5);
        Assert.Equal(0, (picture.narrow(3, tile * zoom, 8 * zoom) - right.narrow(3, 8 * zoom, 8 * zoom)).abs().max().item<float>(), 1e-5);
        // In the overlap: the right tile's part, column by column.
        var (a, b, both) = (left.narrow(3, 8 * zoom, 8 * zoom), right.narrow(3, 0, 8 * zoom), picture.narrow(3, 8 * zoom, 8 * zoom));
        var parts = ((both - a) * (b - a)).sum([0, 1, 2]) / (b - a).Squared().sum([0, 1, 2]);
        var share = parts.data<float>().ToArray();
        Assert.True(share[0] < 0.05 && share[^1] > 0.95, $"begins with {share[0]} of the right tile and ends with {share[^1]}");
        for (var i = 1; i < share.Length; i++)
            Assert.InRange(share[i] - share[i - 1], -1e-4, 0.06);
        Golden.Close(a.Plus((b - a) * parts), both, Golden.Pass, "overlap"); // nothing but a mixture of the two
    }

    [Theory]
    [InlineData("bomb.png", "more than the 64 allowed")]
    [InlineData("empty.png", "cannot be read")]
    [InlineData("header-only.png", "cannot be read")]
    [InlineData("text.jpg", "this is not a picture")]
    public void A_picture_that_cannot_be_drawn_from_is_refused_in_a_sentence(string file, string says)
    {
        // The repository's own
        var bytes = File.ReadAllBytes(Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", file));
        var refused = Assert.Throws<InvalidDataException>(() => Draw(s_plain with { Image = bytes }));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Rotated =>
        new(
            Directory.GetFiles(TestPaths.Fixture("pictures"), "exif-*.jpg").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(Rotated))]
    public void A_picture_to_start_from_is_turned_upright_Fixture(string file)
    {
        var path = TestPaths.Fixture("pictures", file);
        var upright = Image.Identify(path + ".expected.png");
        var expected = PictureTensors.Load(File.ReadAllBytes(path + ".expected.png"), upright.Width, upright.Height);
        var found = PictureTensors.Load(File.ReadAllBytes(path), upright.Width, upright.Height);
        var apart = (expected - found).abs().mean().item<float>();
        Assert.True(apart < 0.05, $"differs by {apart} on average: lies on its side?");
    }
}
