using System.Formats.Tar;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;

namespace Sdxl.Tests.Functions;

/// <summary>A base model whose files are not all there: said before a job is begun, by the check that the job itself makes.</summary>
[Collection(ProductCollection.Name)]
public sealed class IncompleteBaseTests(ProductFixture product)
{
    private const string Pull = "Download what is missing with: ./sdxl models pull big.";

    private static readonly byte[] s_picture = File.ReadAllBytes(
        Path.Combine(TestPaths.Root, "tests", "fixtures", "shared", "pictures", "plain.png")
    );

    [Fact]
    public async Task A_training_is_refused_at_once_with_all_that_it_lacks()
    {
        var answer = await product.PostArchiveAsync(
            "v1/trainings",
            Tar(("a.png", s_picture)),
            "a.tar",
            ("base", "big"),
            ("mask_target_prompts", "cat")
        );

        Assert.Equal(
            (
                400,
                $"Base model 'big' is not complete: {product.Models} lacks 3 files: big/base/unet/a.safetensors, big/blip/text.onnx, "
                    + $"big/clipseg/model.onnx. {Pull}"
            ),
            await ProductFixture.ProblemAsync(answer)
        );
    }

    [Fact]
    public async Task A_check_and_a_training_whose_nets_lie_elsewhere_ask_for_the_preprocessing_models_that_they_take()
    {
        var faces = await product.PostArchiveAsync(
            "v1/checks",
            Tar(("a.png", s_picture)),
            "a.tar",
            ("base", "big"),
            ("use_face_detection_instead", "true")
        );
        Assert.Equal(
            (400, $"Base model 'big' is not complete: {product.Models} lacks 2 files: big/blip/text.onnx, big/yunet/model.onnx. {Pull}"),
            await ProductFixture.ProblemAsync(faces)
        );

        var captioned = Tar(("a.png", s_picture), ("a.txt", "a photo of TOK"u8.ToArray()));
        Assert.Equal(201, (int)(await product.PostArchiveAsync("v1/checks", captioned, "a.tar", ("base", "big"))).StatusCode);
        await using var elsewhere = await product.StartWithAsync(("Sdxl__NetsAreHere", "false"));
        Assert.Equal(
            201,
            (int)
                (
                    await ProductFixture.PostArchiveAsync(elsewhere.Http, "v1/trainings", captioned, "elsewhere.tar", ("base", "big"))
                ).StatusCode
        );
    }

    [Fact]
    public async Task A_prediction_is_refused_at_once_with_refiner_and_checker_if_it_takes_them()
    {
        var body = new JsonObject { ["base"] = "big", ["input"] = new JsonObject { ["prompt"] = "x", ["refine"] = "base_image_refiner" } };
        Assert.Equal(
            (
                400,
                $"Base model 'big' is not complete: {product.Models} lacks 3 files: big/base/unet/a.safetensors, "
                    + $"big/refiner/r.safetensors, big/safety_checker/s.safetensors. {Pull}"
            ),
            await ProductFixture.ProblemAsync(await product.PostAsync("v1/predictions", body))
        );
        body["input"] = new JsonObject { ["prompt"] = "x", ["disable_safety_checker"] = true };
        Assert.Equal(
            (400, $"Base model 'big' is not complete: {product.Models} lacks big/base/unet/a.safetensors. {Pull}"),
            await ProductFixture.ProblemAsync(await product.PostAsync("v1/predictions", body)));
        await using var elsewhere = await product.StartWithAsync(("Sdxl__NetsAreHere", "false"));
        Assert.Equal(201, (int)(await ProductFixture.PostAsync(elsewhere.Http, "v1/predictions", body)).StatusCode);
    }

    [Fact]
    public async Task An_archive_in_the_container_becomes_a_failed_training_with_the_same_sentence()
    {
        await product
            .Storage.GetBlobContainerClient("uploads")
            .GetBlobClient("incomplete.tar")
            .UploadAsync(
                new BinaryData(Tar(("a.png", s_picture), ("a.txt", "a photo of TOK"u8.ToArray()))),
                new BlobUploadOptions { Metadata = new Dictionary<string, string> { ["base"] = "big" } }
            );

        var training = await product.EndOfUploadAsync("incomplete");

        Assert.Equal(
            ("failed", $"Base model 'big' is not complete: {product.Models} lacks big/base/unet/a.safetensors. {Pull}"),
            (training["status"]!.ToString(), training["error"]!.ToString())
        );
    }

    internal static byte[] Tar(params (string Name, byte[] Bytes)[] files)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            foreach (var (name, bytes) in files)
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
        }
        return stream.ToArray();
    }
}
