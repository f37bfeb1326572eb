using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using Sdxl.Pictures;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Sdxl.Diffusion.Safety;

/// <summary>How near a picture is to the concepts that are not shown.</summary>
/// <param name="Concepts">Cosines with the concepts, [B,17].</param>
/// <param name="SpecialCare">Cosines with those that make the others' thresholds stricter, [B,3].</param>
/// <param name="Embeddings">The pictures' vectors, [B,D].</param>
public sealed record SafetyScores(Tensor Concepts, Tensor SpecialCare, Tensor Embeddings);

/// <summary>Stable Diffusion's safety checker: CLIP's vision tower, compared with fixed concept vectors.</summary>
/// <remarks>Source: diffusers pipelines/stable_diffusion/safety_checker.py @58eb52c; preprocessing: transformers CLIPImageProcessor, from
/// preprocessor_config.json.</remarks>
public sealed class SafetyChecker : IDisposable
{
    private const double Stricter = 0.01; // added to every later score once a special-care score is above 0
    private const int ScoreDigits = 3;    // scores are rounded before they are compared with 0

    private readonly SafetyNet net;
    private readonly Preprocessing preprocessing;
    private readonly float[] conceptThresholds, specialThresholds;

    private SafetyChecker(SafetyNet net, Preprocessing preprocessing)
    {
        (this.net, this.preprocessing) = (net, preprocessing);
        conceptThresholds = net.ConceptThresholds.cpu().data<float>().ToArray();
        specialThresholds = net.SpecialThresholds.cpu().data<float>().ToArray();
    }

    /// <summary>
    /// Loads a folder with config.json, preprocessor_config.json (here or in ../feature_extractor) and model.safetensors. Held in fp32: a
    /// threshold decides.
    /// </summary>
    public static SafetyChecker Load(string folder, DiffusionDevice device)
    {
        var path = Path.Combine(folder, "config.json");
        var json = JsonConfig.Load(path);
        var config = ClipVisionConfig.Parse(json.Object("vision_config"), path);
        var net = new SafetyNet(config, json.Int("projection_dim"), new Placement(device.Device, ScalarType.Float32));
        using var tensors = FolderTensors.Open(folder);
        NetLoader.Fill(net, tensors);
        using var scope = NewDisposeScope();
        return new SafetyChecker(net, Preprocessing.Load(folder));
    }

    /// <summary>Whether a picture must not be shown.</summary>
    /// <param name="rgb">Rows from the top, three bytes a pixel.</param>
    public bool IsFlagged(ReadOnlySpan<byte> rgb, int width, int height)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        return Flags(Score(Pixels(rgb, width, height)))[0];
    }

    /// <summary>The net's input for a picture, [1,3,s,s].</summary>
    public Tensor Pixels(ReadOnlySpan<byte> rgb, int width, int height) => preprocessing.Apply(rgb, width, height);

    /// <summary>Cosines for inputs [B,3,s,s].</summary>
    public SafetyScores Score(Tensor pixels)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var embeddings = net.call(pixels.to(net.ConceptThresholds.device));
        return new SafetyScores(
            Cosines(embeddings, net.Concepts).MoveToOuterDisposeScope(),
            Cosines(embeddings, net.SpecialConcepts).MoveToOuterDisposeScope(),
            embeddings.MoveToOuterDisposeScope()
        );
    }

    /// <summary>The decision for each picture.</summary>
    public bool[] Flags(SafetyScores scores)
    {
        var special = scores.SpecialCare.cpu().data<float>().ToArray();
        var concepts = scores.Concepts.cpu().data<float>().ToArray();
        return
        [
            .. Enumerable
                .Range(0, (int)scores.Concepts.shape[0])
                .Select(i =>
                    IsFlagged(
                        special.AsSpan(i * specialThresholds.Length, specialThresholds.Length),
                        concepts.AsSpan(i * conceptThresholds.Length, conceptThresholds.Length)
                    )
                ),
        ];
    }

    public void Dispose() => net.Dispose();

    private bool IsFlagged(ReadOnlySpan<float> special, ReadOnlySpan<float> concepts)
    {
        double adjustment = 0;
        for (var i = 0; i < special.Length; i++)
        {
            if (Math.Round(special[i] - specialThresholds[i] + adjustment, ScoreDigits) > 0)
                adjustment = Stricter;
        }
        for (var i = 0; i < concepts.Length; i++)
        {
            if (Math.Round(concepts[i] - conceptThresholds[i] + adjustment, ScoreDigits) > 0)
                return true;
        }
        return false;
    }

    private static Tensor Cosines(Tensor a, Tensor b) => F.normalize(a).matmul(F.normalize(b).t());

    /// <summary>CLIPImageProcessor: shortest side to size, middle cut out, 0..255 to 0..1, normalised.</summary>
    private sealed record Preprocessing(int ShortestEdge, int Crop, double[] Mean, double[] Deviation)
    {
        public static Preprocessing Load(string folder)
        {
            var path =
                new[] { folder, Path.Combine(folder, "..", "feature_extractor") }
                    .Select(f => Path.Combine(f, "preprocessor_config.json"))
                    .FirstOrDefault(File.Exists)
                ?? throw new InvalidDataException(
                    $"Safety checker '{folder}' has no preprocessor_config.json, neither beside config.json nor in ../feature_extractor."
                );
            var json = JsonConfig.Load(path);
            return new(json.IntOrIn("size", "shortest_edge"), json.IntOrIn("crop_size", "height"), List("image_mean"), List("image_std"));

            double[] List(string name) =>
                json.Doubles(name) is { Length: 3 } numbers
                    ? numbers
                    : throw new InvalidDataException($"Config '{path}': '{name}' should be three numbers, one a colour.");
        }

        public Tensor Apply(ReadOnlySpan<byte> rgb, int width, int height)
        {
            var (toWidth, toHeight) =
                width <= height
                    ? (ShortestEdge, (int)((long)ShortestEdge * height / width))
                    : ((int)((long)ShortestEdge * width / height), ShortestEdge);
            // Pillow's bicubic, which CLIP's preprocessing was defined with: scores do not depend on the library.
            var small = PictureResizer.Resize(new PixelGrid(width, height, 3, rgb.ToArray()), toWidth, toHeight, ResizeFilter.Bicubic).Data;
            var (left, top) = ((toWidth - Crop) / 2, (toHeight - Crop) / 2);
            var pixels = new float[3 * Crop * Crop];
            for (var c = 0; c < 3; c++)
            {
                for (var y = 0; y < Crop; y++)
                {
                    for (var x = 0; x < Crop; x++)
                        pixels[(c * Crop + y) * Crop + x] = (float)(
                            (small[((top + y) * toWidth + left + x) * 3 + c] / 255.0 - Mean[c]) / Deviation[c]
                        );
                }
            }
            return tensor(pixels, [1, 3, Crop, Crop]);
        }
    }
}
