using System.Formats.Tar;
using Sdxl.Diffusion.Export;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using Sdxl.Diffusion.Randomness;
using Sdxl.Diffusion.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Training;

/// <summary>Several subjects in one training, each with a word and vectors of its own.</summary>
[Collection("Training runs")]
public sealed class SeveralWordsTests : IDisposable
{
    private const int Vectors = 3;
    private readonly TinyRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void Each_word_has_its_vectors_in_every_file_and_in_prompts()
    {
        using var scope = NewDisposeScope();
        var run = Train("TOK|CAT");
        var output = run.OutputFolder;
        Assert.Equal(
            ["CAT.safetensors", "TOK.safetensors"],
            Directory.GetFiles(output, "???.safetensors").Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        var tar = Directory.CreateDirectory(Path.Combine(runs.Folder, "tar")).FullName;
        TarFile.ExtractToDirectory(Path.Combine(output, TrainedModelTar.FileName), tar, overwriteFiles: true);
        Assert.Equal(
            """{"TOK":"<s0><s1><s2>","CAT":"<s3><s4><s5>"}""",
            File.ReadAllText(Path.Combine(tar, TrainedModelTar.SpecialParamsName))
        );

        var all = EmbeddingFile.Read(Path.Combine(tar, TrainedModelTar.EmbeddingsName));
        var (first, second) = (
            EmbeddingFile.Read(Path.Combine(output, "TOK.safetensors")),
            EmbeddingFile.Read(Path.Combine(output, "CAT.safetensors"))
        );
        foreach (var (whole, one, two) in new[] { (all.Rows1, first.Rows1, second.Rows1), (all.Rows2, first.Rows2, second.Rows2) })
        {
            Assert.Equal((2 * Vectors, Vectors, Vectors), (whole.shape[0], one.shape[0], two.shape[0]));
            Assert.True(whole.bytes.SequenceEqual(cat([one, two], 0).bytes));
        }

        using var pipeline = SdxlPipeline.Load(runs.Model, null, DiffusionDevice.Cpu);
        using (var fineTune = FineTune.Load(Path.Combine(output, TrainedModelTar.FileName)))
            pipeline.Apply(fineTune, 1);
        var (ofTok, ofCat, ofBoth) = (
            Drawn(pipeline, "a photo of TOK"),
            Drawn(pipeline, "a photo of CAT"),
            Drawn(pipeline, "a photo of TOK and CAT")
        );
        Assert.NotEqual(ofTok, ofCat);
        Assert.NotEqual(ofTok, ofBoth);
        Assert.NotEqual(ofCat, ofBoth);
        Assert.Equal(ofCat, Drawn(pipeline, "a photo of <s3><s4><s5>"));
    }

    [Fact]
    public void A_words_vectors_learn_from_the_captions_that_name_it_alone()
    {
        using var scope = NewDisposeScope();
        var both = EmbeddingFile.Read(Path.Combine(Train("TOK|CAT").OutputFolder, "CAT.safetensors"));
        // The same run with captions that do not name the second word.
        runs.ChangeManifest(m =>
            m with
            {
                Pictures = [.. m.Pictures.Select(p => p with { Caption = p.Caption.Replace("CAT", "TOK", StringComparison.Ordinal) })],
            }
        );
        var output = Train("TOK|CAT", "alone", rename: false).OutputFolder;
        var (tok, unnamed) = (
            EmbeddingFile.Read(Path.Combine(output, "TOK.safetensors")),
            EmbeddingFile.Read(Path.Combine(output, "CAT.safetensors"))
        );
        Assert.False(both.Rows1.bytes.SequenceEqual(unnamed.Rows1.bytes));
        // Without a gradient there is only decay and the pull, which change a row's length, not its direction.
        var start = CounterRandom.Normal(11, RandomPurpose.InitialTokens, 0, 0, 2 * Vectors, unnamed.Rows1.shape[1]);
        Assert.True(Cosine(start[Vectors..], unnamed.Rows1) > 0.99999);
        Assert.True(Cosine(start[..Vectors], tok.Rows1) < 0.9999);
        Assert.True(Cosine(start[Vectors..], both.Rows1) < 0.9999);
    }

    [Theory]
    [InlineData("TOK|CAT")]
    [InlineData("CAT")]
    public void A_data_set_prepared_with_other_words_is_refused(string words)
    {
        var given = TinyRuns.Given();
        given["token_string"] = words;
        var error = Assert.Throws<TrainingException>(() => runs.Start("other", given));
        Assert.Contains($"'{words}'", error.Message, StringComparison.Ordinal);
    }

    private static double Cosine(Tensor a, Tensor b) => ((a * b).sum(1) / (a.norm(1) * b.norm(1))).min().AsDouble();

    /// <summary>Two pictures of TOK, two of CAT.</summary>
    private TrainingPlan Train(string words, string name = "several", bool rename = true)
    {
        if (rename)
        {
            runs.ChangeManifest(m =>
                m with
                {
                    Trigger = words,
                    Pictures =
                    [
                        .. m.Pictures.Select(
                            (p, i) =>
                                p with
                                {
                                    Caption = i % 2 == 0 ? p.Caption : p.Caption.Replace("TOK", "CAT", StringComparison.Ordinal),
                                }
                        ),
                    ],
                }
            );
        }
        var given = TinyRuns.Given();
        given["token_string"] = words;
        given["vectors_per_token"] = Vectors;
        given["ti_fraction"] = 1;
        return runs.Start(name, given).Plan;
    }

    private static byte[] Drawn(SdxlPipeline pipeline, string prompt)
    {
        var settings = new GenerationSettings
        {
            Prompt = prompt,
            NegativePrompt = "",
            Width = 64,
            Height = 64,
            NumOutputs = 1,
            Scheduler = "K_EULER",
            Steps = 2,
            GuidanceScale = 5,
            ApplyWatermark = false,
            CheckSafety = false,
            Seed = 5,
        };
        return pipeline.Generate(settings, null, CancellationToken.None)[0].Rgb;
    }
}
