using System.Text.Json.Nodes;
using Sdxl.Core.Bases;
using Sdxl.Core.Identity;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;
using Sdxl.Tests;

namespace Sdxl.Core.Tests.Bases;

public sealed class BaseManifestTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-bases-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_manifest_pins_each_file_by_commit_under_a_licence_that_can_be_read_and_none_is_a_pickle()
    {
        var names = Directory.GetFiles(TestPaths.Models, "*.json").Select(Path.GetFileNameWithoutExtension).ToList();
        Assert.Contains("sdxl", names);
        foreach (var manifest in names.Select(name => BaseManifest.Load(TestPaths.Models, name!)))
        {
            Assert.All(manifest.Files, file =>
            {
                Assert.Matches("^[0-9a-f]{40}$", file.Revision);
                Assert.StartsWith("https://", file.LicenceUrl, StringComparison.Ordinal);
                Assert.DoesNotContain(Path.GetExtension(file.File), new[] { ".bin", ".pt", ".pth", ".ckpt", ".pkl" });
            });
            Assert.Equal(manifest.Files.Count, manifest.Files.Select(file => file.Path).Distinct().Count());
            Assert.All(
                manifest.Made.SelectMany(made => made.Needs),
                need => Assert.Contains(need, manifest.Files.Select(file => file.Path))
            );
        }
    }

    [Fact]
    public void The_real_sdxl_has_every_file_that_the_toy_has_under_the_same_name_but_for_the_other_vae()
    {
        var sdxl = BaseManifest.Load(TestPaths.Models, "sdxl");
        var paths = sdxl.Files.Select(file => file.Path).Concat(sdxl.Made.Select(made => made.Path)).ToHashSet();
        var needed = Directory
            .GetFiles(Path.Combine(TestPaths.Models, "toy-sdxl"), "*", SearchOption.AllDirectories)
            .Select(path => "sdxl/base/" + Relative("toy-sdxl", path))
            .Concat(
                new[] { "blip", "clipseg", "swin2sr", "yunet" }.SelectMany(part =>
                    Directory.GetFiles(Path.Combine(TestPaths.Models, part)).Select(path => $"sdxl/{part}/{Relative(part, path)}")
                )
            )
            .Select(path => path.Replace("vae/diffusion_pytorch_model.fp16.", "vae/diffusion_pytorch_model.", StringComparison.Ordinal))
            .Where(path => !path.EndsWith("added_tokens.json", StringComparison.Ordinal) && path != "sdxl/blip/generation_config.json"); // the real BLIP has none
        Assert.Equal([], needed.Where(path => !paths.Contains(path)));
        Assert.Equal(
            "madebyollin/sdxl-vae-fp16-fix",
            sdxl.Files.Single(file => file.Path == "sdxl/base/vae/diffusion_pytorch_model.safetensors").Repository
        );

        static string Relative(string part, string path) =>
            Path.GetRelativePath(Path.Combine(TestPaths.Models, part), path).Replace('\\', '/');
    }

    [Fact]
    public void The_real_sdxls_defaults_are_Replicates()
    {
        var sdxl = BaseManifest.Load(TestPaths.Models, "sdxl");
        var plain = sdxl with { TrainingDefaults = [], PredictionDefaults = [] };
        var id = JobId.From("same");
        Assert.Equal(TrainingInputs.Read([], plain, id), TrainingInputs.Read([], sdxl, id));
        Assert.Equal(PredictionInputs.Read([], plain, id), PredictionInputs.Read([], sdxl, id));
    }

    [Fact]
    public void Missing_files_are_named_with_the_command_that_brings_them()
    {
        var manifest = Write();
        var e = Assert.Throws<BaseIncompleteException>(() => manifest.Require(BaseParts.Nets));
        Assert.Equal(
            $"Base model 'big' is not complete: {folder} lacks 2 files: big/base/unet/a.safetensors, big/base/vae/b.safetensors. Download "
                + "what is missing with: ./sdxl models pull big.",
            e.Message
        );
        Touch("big/base/unet/a.safetensors");
        Touch("big/base/vae/b.safetensors");
        manifest.Require(BaseParts.Nets);
        manifest.Require(BaseParts.Nets | BaseParts.SafetyChecker);
        Assert.Contains(
            "lacks big/refiner/c.safetensors.",
            Assert.Throws<BaseIncompleteException>(() => manifest.Require(BaseParts.Nets | BaseParts.Refiner)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_manifest_of_the_users_own_with_one_file_is_complete_once_the_file_is_there()
    {
        var manifest = Write() with { Name = "mine", Model = "mine.safetensors", Refiner = null, Sources = [], Made = [] };
        Assert.Equal(
            $"Base model 'mine' is not complete: {folder} lacks mine.safetensors. Copy the files there, or set SDXL_MODELS to the folder "
                + "that holds them.",
            Assert.Throws<BaseIncompleteException>(() => manifest.Require(BaseParts.Nets | BaseParts.SafetyChecker)).Message);
        Touch("mine.safetensors");
        manifest.Require(BaseParts.Nets | BaseParts.SafetyChecker);
    }

    [Fact]
    public void A_file_that_is_made_here_is_explained_by_what_it_needs_and_the_command_that_makes_it()
    {
        var manifest = Write();
        Assert.EndsWith(
            "lacks big/blip/text.onnx. Download what is missing with: ./sdxl models pull big; then make big/blip/text.onnx with: make it.",
            manifest.Explain(["big/blip/text.onnx"]),
            StringComparison.Ordinal
        );
        Touch("big/blip/weights.safetensors");
        Assert.EndsWith(
            "lacks big/blip/text.onnx. Make big/blip/text.onnx with: make it.",
            manifest.Explain(manifest.Missing("big/blip")),
            StringComparison.Ordinal
        );

        // What served for it may go, and is not downloaded again.
        Touch("big/blip/text.onnx");
        File.Delete(Path.Combine(folder, "big/blip/weights.safetensors"));
        Assert.Empty(manifest.Missing("big/blip"));
        Assert.DoesNotContain(manifest.Files.Where(manifest.IsNeeded), file => file.Path == "big/blip/weights.safetensors");
    }

    [Theory]
    [InlineData("revision", "main", "revision 'main' of owner/repo must be a commit (40 lower-case hex digits)")]
    [InlineData("into", "../elsewhere", "path '../elsewhere/unet/a.safetensors' must stay in the models folder")]
    [InlineData("licence", "", "owner/repo has no licence, or no link to it")]
    [InlineData("repository", "repo", "repository 'repo' must be owner/name")]
    public void What_is_not_pinned_is_refused(string name, string value, string sentence)
    {
        var e = Assert.Throws<InvalidDataException>(() => Write(source => source[name] = value));
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
        Assert.Contains("big.json", e.Message, StringComparison.Ordinal);
    }

    private BaseManifest Write(Action<JsonObject>? change = null)
    {
        JsonObject File(string file) => new() { ["file"] = file };
        JsonObject Source(string into, params JsonObject[] files) =>
            new()
            {
                ["repository"] = "owner/repo",
                ["revision"] = new string('a', 40),
                ["licence"] = "mit",
                ["licence_url"] = "https://example.org/",
                ["into"] = into,
                ["files"] = new JsonArray(files),
            };
        var first = Source("big/base", File("unet/a.safetensors"), File("vae/b.safetensors"));
        change?.Invoke(first);
        var manifest = new JsonObject
        {
            ["name"] = "big",
            ["description"] = "d",
            ["model"] = "big/base",
            ["refiner"] = "big/refiner",
            ["vision"] = "big",
            ["training_defaults"] = new JsonObject(),
            ["prediction_defaults"] = new JsonObject(),
            ["sources"] = new JsonArray(
                first,
                Source("big/refiner", File("c.safetensors")),
                Source("big/blip", File("weights.safetensors"))
            ),
            ["made"] = new JsonArray(
                new JsonObject
                {
                    ["path"] = "big/blip/text.onnx",
                    ["needs"] = new JsonArray("big/blip/weights.safetensors"),
                    ["command"] = "make it",
                }
            ),
        };
        System.IO.File.WriteAllText(Path.Combine(folder, "big.json"), manifest.ToJsonString());
        return BaseManifest.Load(folder, "big");
    }

    private void Touch(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
        File.WriteAllText(Path.Combine(folder, path), "");
    }
}
