using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Sdxl.Core.Archives;
using Sdxl.Core.Bases;
using Sdxl.Core.Captions;
using Sdxl.Core.Inputs;
using Sdxl.Core.Predictions;
using Sdxl.Core.Trainings;
using Sdxl.Diffusion.Files;
using Sdxl.Functions.Http;

namespace Sdxl.Tests.Fuzz;

/// <summary>Captions, JSON inputs, forms, data URIs, safetensors headers.</summary>
public sealed class TextFuzzTests
{
    private const string Id = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

    private static readonly string[] s_pictures = ["a.png", "b/c d.jpg", "é.png"];
    private static readonly byte[] s_picture = TestPictures.Png();
    private static readonly BaseManifest s_base = BaseManifest.Load(TestPaths.Models, "toy");

    [Fact]
    public Task Caption_files() =>
        FuzzRun.Over(
            [
                "caption,image_file\n\"a, b \"\"c\"\"\",a.png\nx,b/c d.jpg\n"u8.ToArray(),
                "sep=;\r\nimage_file;caption\r\na.png;x\r\n"u8.ToArray(),
                "file_name\ttext\né.png\tna ja\n"u8.ToArray(),
                [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("caption,image_file\nx,a.png\n")],
                Encoding.Latin1.GetBytes("caption,image_file\ncafé,a.png\n"),
            ],
            bytes => _ = CaptionFile.Read(bytes, "caption.csv", s_pictures),
            64
        );

    [Fact]
    public Task Caption_json() =>
        FuzzRun.Over(
            [
                "{\"file_name\":\"a.png\",\"text\":\"x\"}\n{\"file_name\":\"b/c d.jpg\",\"text\":\"y\"}\n"u8.ToArray(),
                "{\"file_name\":\"a.png\",\"caption\":[\"x\",1,null]}\n"u8.ToArray(),
            ],
            bytes => InArchive("metadata.jsonl", bytes),
            64
        );

    [Fact]
    public Task Caption_sidecars() =>
        FuzzRun.Over(
            [
                "a photo of TOK, \"quoted\""u8.ToArray(),
                Encoding.Unicode.GetBytes("\uFEFFna ja"),
                [0x83, 0x74, 0x83, 0x40, 0x83, 0x43],
                Encoding.Latin1.GetBytes("ein Käfer, größer"),
            ],
            bytes => InArchive("a.txt", bytes),
            64
        );

    [Fact]
    public Task Settings_files() => FuzzRun.Over(
        ["{\"seed\": 3, \"resolution\": 512, /* note */ \"token_string\": \"TOK\",}"u8.ToArray()],
        bytes => InArchive("training.json", bytes), 64, typeof(InputException));

    [Fact]
    public Task Training_inputs() =>
        FuzzRun.Over(
            [
                "{\"seed\":3,\"resolution\":\"512\",\"is_lora\":true,\"ti_lr\":3e-4,\"token_string\":\"TOK\"}"u8.ToArray(),
                "{\"max_train_steps\":10,\"sample_prompts\":\"a TOK\",\"lr_scheduler\":\"constant\"}"u8.ToArray(),
            ],
            bytes => Inputs(bytes, given => TrainingInputs.Read(given, s_base, Id)),
            64,
            typeof(InputException),
            typeof(IntakeException)
        );

    [Fact]
    public Task Prediction_inputs() =>
        FuzzRun.Over(
            [
                "{\"prompt\":\"a photo of TOK\",\"width\":64,\"height\":\"64\",\"scheduler\":\"DDIM\"}"u8.ToArray(),
                "{\"num_outputs\":4,\"guidance_scale\":7.5,\"seed\":-1,\"lora_scale\":-0.5}"u8.ToArray(),
            ],
            bytes => Inputs(bytes, given => PredictionInputs.Read(given, s_base, Id)),
            64,
            typeof(InputException),
            typeof(IntakeException)
        );

    [Fact]
    public Task Forms() =>
        FuzzRun.Over(
            [
                "--x\r\nContent-Disposition: form-data; name=\"seed\"\r\n\r\n3\r\n--x\r\nContent-Disposition: form-data; name=\"input_images\"; filename=\"a.zip\"\r\nContent-Type: application/zip\r\n\r\nPK\u0003\u0004\r\n--x--\r\n"u8.ToArray(),
            ],
            bytes =>
            {
                var context = new DefaultHttpContext();
                context.Request.ContentType = "multipart/form-data; boundary=x";
                context.Request.Body = new MemoryStream(bytes);
                var form = RequestBodies
                    .FormAsync(
                        context.Request,
                        1 << 20,
                        "input_images",
                        () => throw new InvalidOperationException(),
                        CancellationToken.None
                    )
                    .GetAwaiter()
                    .GetResult();
                foreach (var file in form.Files)
                    _ = (file.FileName, file.Name, file.Length);
            },
            64,
            typeof(IntakeException)
        );

    [Fact]
    public Task Data_uris() =>
        FuzzRun.Over(
            [
                "data:application/zip;base64,UEsDBAoAAAAA"u8.ToArray(),
                "data:text/plain;name=a.txt;base64,aGFsbG8%3D"u8.ToArray(),
                "data:;base64,_-8="u8.ToArray(),
            ],
            bytes =>
            {
                if (Encoding.UTF8.GetString(bytes) is var text && DataUri.IsOne(text))
                    _ = DataUri.Parse(text, 1 << 20);
            },
            64,
            typeof(DataUriException)
        );

    [Theory]
    [InlineData("lora.safetensors")]
    [InlineData("text-encoders.safetensors")]
    public async Task Safetensors_headers(string golden)
    {
        var (head, fileBytes) = HeadOf(TestPaths.Golden(golden));
        await FuzzRun.Over(
            [head],
            bytes =>
            {
                using var file = new MemoryStream();
                file.Write(bytes);
                file.SetLength(Math.Max(fileBytes, bytes.Length)); // the weights, which nothing parses
                file.Position = 0;
                _ = SafetensorsHeader.Read(file, file.Length, "mutant.safetensors");
            },
            64, typeof(SafetensorsException));
    }

    /// <summary>As a file beside one picture: the archive itself is whole.</summary>
    private static void InArchive(string name, byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (file, content) in new[] { ("a.png", s_picture), (name, bytes) })
            {
                using var target = zip.CreateEntry(file, CompressionLevel.NoCompression).Open();
                target.Write(content);
            }
        }
        using var archive = ArchiveReader.Open(stream, "mutant.zip");
        _ = ArchiveCaptions.Read(archive);
        ArchiveSettings.Read(archive).FillGaps([]);
    }

    private static void Inputs(byte[] bytes, Action<JsonObject> read)
    {
        var context = new DefaultHttpContext();
        context.Request.ContentType = "application/json";
        context.Request.Body = new MemoryStream(bytes);
        read(RequestBodies.JsonAsync(context.Request, 1 << 20, "input", "Send JSON.", CancellationToken.None).GetAwaiter().GetResult());
    }

    private static (byte[] Head, long FileBytes) HeadOf(string file)
    {
        using var content = File.OpenRead(file);
        var length = new byte[8];
        content.ReadExactly(length);
        var json = new byte[BitConverter.ToInt64(length)];
        content.ReadExactly(json);
        return ([.. length, .. json], content.Length);
    }
}
