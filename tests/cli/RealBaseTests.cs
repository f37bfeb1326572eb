using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Sdxl.Cli.Hosting;
using Sdxl.Core.Hosting;

namespace Sdxl.Tests.Cli;

/// <summary>
/// --base sdxl from an empty models folder to pictures: the real manifest's repositories, commits, files and folders, with small models of
/// the same architectures behind them (sizes and hashes are those of the stand-ins). Real command line, host and worker.
/// </summary>
public sealed class RealBaseTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private readonly FakeHub hub = new();
    private readonly string home = Directory.CreateTempSubdirectory("sdxl-cli-").FullName;
    private readonly string models = Directory.CreateTempSubdirectory("sdxl-models-").FullName;

    public void Dispose()
    {
        hub.Dispose();
        Directory.Delete(home, recursive: true);
        Directory.Delete(models, recursive: true);
    }

    [Fact]
    public async Task Pulled_by_the_real_manifest_the_base_model_trains_draws_refines_and_checks()
    {
        var files = PublishStandIns();
        string[] train =
        [
            "train",
            Path.Combine(TestPaths.Root, "examples", "gizmo.zip"),
            "--base",
            "sdxl",
            "--resolution",
            "64",
            "--max-train-steps",
            "2",
            "--train-batch-size",
            "1",
            "--lora-rank",
            "4",
        ];
        var missing = await RunAsync(train);
        Assert.Equal(1, missing.ExitCode);
        Assert.Contains($"{models} lacks 18 files: sdxl/base/model_index.json, ", missing.Errors, StringComparison.Ordinal);
        Assert.EndsWith("Download what is missing with: ./sdxl models pull sdxl.\n", missing.Errors, StringComparison.Ordinal);

        var pulled = await RunAsync("models", "pull", "sdxl");
        Assert.Equal((0, ""), (pulled.ExitCode, pulled.Errors));
        Assert.Contains(
            "licence CreativeML Open RAIL++-M: stabilityai/stable-diffusion-xl-base-1.0 (",
            pulled.Output,
            StringComparison.Ordinal
        );
        Assert.Contains($"sdxl is there: {files} files, {files} of them downloaded", pulled.Output, StringComparison.Ordinal);
        Assert.Contains(
            "still to be made on this machine: sdxl/blip/vision_model.onnx, sdxl/blip/text_decoder.onnx",
            pulled.Output,
            StringComparison.Ordinal
        );
        Assert.Equal(files, hub.Sent.Count);

        using var up = SdxlProcess.Start(home, Environment, "up", "--base", "sdxl");
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            while (
                await up.StandardOutput.ReadLineAsync(patience.Token) is not { } line
                || !line.StartsWith("The host is up", StringComparison.Ordinal)
            )
                Assert.False(up.HasExited, "the host does not start");

            // Nobody captioned the pictures, and BLIP is not made yet: refused before anything is begun.
            var uncaptioned = await RunAsync(train);
            Assert.Equal(1, uncaptioned.ExitCode);
            Assert.Contains(
                "lacks 2 files: sdxl/blip/vision_model.onnx, sdxl/blip/text_decoder.onnx. Make sdxl/blip/vision_model.onnx, "
                    + $"sdxl/blip/text_decoder.onnx with: python3 tools/export_onnx.py blip {models}/sdxl/blip.",
                uncaptioned.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("unpack", uncaptioned.Output, StringComparison.Ordinal);

            // What the export makes; what it was made from may go.
            foreach (var made in new[] { "vision_model.onnx", "text_decoder.onnx" })
                File.Copy(Path.Combine(TestPaths.Models, "blip", made), Path.Combine(models, "sdxl", "blip", made));
            File.Delete(Path.Combine(models, "sdxl", "blip", "model.safetensors"));
            Assert.Contains(
                $"0 of {files - 1} files would be downloaded.",
                (await RunAsync("models", "pull", "--dry-run")).Output,
                StringComparison.Ordinal
            );

            // What only a small picture takes is missed in the middle: final, without five tries.
            var upscaler = Path.Combine(models, "sdxl", "swin2sr", "model.onnx");
            File.Move(upscaler, upscaler + ".away");
            var enlarged = await RunAsync("check", train[1], "--base", "sdxl", "--resolution", "512");
            Assert.Contains(
                "lacks sdxl/swin2sr/model.onnx. Download what is missing with: ./sdxl models pull sdxl.",
                enlarged.Errors,
                StringComparison.Ordinal
            );
            var log = await File.ReadAllTextAsync(Path.Combine(home, "logs", "host.log"));
            // Each of the zip's twelve pictures once at most.
            Assert.InRange(System.Text.RegularExpressions.Regex.Count(log, @"activity PreparePicture #\d+ failed"), 1, 12);
            File.Move(upscaler + ".away", upscaler);

            var check = await RunAsync("check", train[1], "--base", "sdxl", "--resolution", "64", "--use-face-detection-instead", "--json");
            Assert.Equal((0, ""), (check.ExitCode, check.Errors));

            // Without --base it is the host's, as started above.
            var trained = await RunAsync([
                .. train.Where(option => option is not "--base" and not "sdxl"),
                "--mask-target-prompts",
                "object",
                "--json",
            ]);
            Assert.Equal((0, ""), (trained.ExitCode, trained.Errors));
            Assert.True(File.Exists(Result(trained)["weights"]!.GetValue<string>()));
            var host = HostFile.TryRead(home)!;
            using (
                var http = new HttpClient { BaseAddress = host.Url, DefaultRequestHeaders = { Authorization = new("Bearer", host.Token) } }
            )
                Assert.Equal(
                    "sdxl",
                    JsonNode.Parse(await http.GetStringAsync($"v1/trainings/{Result(trained)["training"]}"))!["base"]!.GetValue<string>()
                );

            string[] small =
            [
                "--width",
                "64",
                "--height",
                "64",
                "--num-inference-steps",
                "4",
                "--seed",
                "5",
                "--disable-safety-checker",
                "--json",
            ];
            var plain = await DrawAsync(["draw", "a photo of TOK", .. small]);
            var refined = await DrawAsync([
                "draw",
                "a photo of TOK",
                "--refine",
                "expert_ensemble_refiner",
                "--high-noise-frac",
                "0.5",
                .. small,
            ]);
            Assert.NotEqual(plain, refined);
            var bare = await DrawAsync(["draw", "a photo of TOK", "--version", "none", .. small]);
            Assert.NotEqual(plain, bare);

            // Without the refiner's weights everything else goes on; without the checker nothing is drawn unchecked.
            File.Delete(Path.Combine(models, "sdxl", "refiner", "unet", "diffusion_pytorch_model.fp16.safetensors"));
            File.Delete(Path.Combine(models, "sdxl", "safety_checker", "model.safetensors"));
            Assert.Equal(plain, await DrawAsync(["draw", "a photo of TOK", .. small]));
            var unrefined = await RunAsync(["draw", "a photo of TOK", "--refine", "base_image_refiner", .. small]);
            Assert.Contains(
                "lacks sdxl/refiner/unet/diffusion_pytorch_model.fp16.safetensors. Download what is missing with: ./sdxl models pull sdxl.",
                unrefined.Errors,
                StringComparison.Ordinal
            );
            var uncheckedPicture = await RunAsync([
                "draw",
                "a photo of TOK",
                .. small.Where(option => option != "--disable-safety-checker"),
            ]);
            Assert.Contains("lacks sdxl/safety_checker/model.safetensors.", uncheckedPicture.Errors, StringComparison.Ordinal);
        }
        finally
        {
            await SdxlProcess.InterruptAsync(up);
            using var patience = new CancellationTokenSource(Patience);
            await up.WaitForExitAsync(patience.Token);
        }
    }

    private Dictionary<string, string> Environment => new() { ["SDXL_MODELS"] = models, ["HF_ENDPOINT"] = hub.Url };

    private Task<SdxlProcess.Outcome> RunAsync(params string[] arguments) => SdxlProcess.RunAsync(home, null, Environment, arguments);

    private async Task<byte[]> DrawAsync(string[] arguments)
    {
        var drawn = await RunAsync(arguments);
        Assert.Equal((0, ""), (drawn.ExitCode, drawn.Errors));
        return await File.ReadAllBytesAsync(Assert.Single(Result(drawn)["pictures"]!.AsArray())!.GetValue<string>());
    }

    private static JsonObject Result(SdxlProcess.Outcome outcome) => JsonNode.Parse(outcome.Lines[^1])!.AsObject();

    /// <summary>The real manifest, with the stand-ins' sizes and hashes where it has any, and their bytes on the server.</summary>
    /// <returns>How many files there are.</returns>
    private int PublishStandIns()
    {
        var files = 0;
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(TestPaths.Models, "sdxl.json")))!.AsObject();
        foreach (var source in manifest["sources"]!.AsArray())
        {
            foreach (var file in source!["files"]!.AsArray().Select(node => node!.AsObject()))
            {
                var path = $"{source["into"]}/{file["as"] ?? file["file"]}";
                var content = File.Exists(StandIn(path)) ? File.ReadAllBytes(StandIn(path)) : RandomNumberGenerator.GetBytes(20_000);
                Assert.True(File.Exists(StandIn(path)) || path is "sdxl/blip/model.safetensors", $"nothing stands in for {path}");
                if (file["bytes"] is not null)
                    file["bytes"] = content.Length;
                if (file["sha256"] is not null)
                    file["sha256"] = Convert.ToHexStringLower(SHA256.HashData(content));
                hub.Add(source["repository"]!.ToString(), source["revision"]!.ToString(), file["file"]!.ToString(), content);
                files++;
            }
        }
        File.WriteAllText(Path.Combine(models, "sdxl.json"), manifest.ToJsonString());
        return files;
    }

    private static string StandIn(string path) => path.Split('/') switch
    {
        ["sdxl", "base", .. var rest] => TestPaths.Golden(["tiny-sdxl", .. Whole(rest)]),
        ["sdxl", "refiner", .. var rest] => TestPaths.Golden(["tiny-sdxl-refiner", .. Whole(rest)]),
        ["sdxl", "safety_checker", .. var rest] => TestPaths.Golden(["safety", "safety_checker", .. rest]),
        ["sdxl", .. var rest] => Path.Combine([TestPaths.Models, .. rest]),
        _ => path,
    };

    /// <summary>The goldens' weights are not in the fp16 variant.</summary>
    private static string[] Whole(string[] parts) => [.. parts.Select(part => part.Replace(".fp16.", ".", StringComparison.Ordinal))];
}
