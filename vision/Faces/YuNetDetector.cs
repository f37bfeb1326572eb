using Sdxl.Vision.Models;
using Sdxl.Pictures;

namespace Sdxl.Vision.Faces;

/// <summary>Finds faces with YuNet in pictures of any size. Thread-safe.</summary>
/// <remarks>
/// The model takes a fixed square: the picture is brought to fit, its shape kept, at the upper left, the rest black; what is found is
/// mapped back. score = sqrt(cls * obj); centre = (cell + offset) * stride; size = exp * stride. Source: opencv/opencv
/// modules/objdetect/src/face_detect.cpp.
/// </remarks>
public sealed class YuNetDetector
{
    private const float ScoreThreshold = 0.6f, OverlapThreshold = 0.3f;

    private readonly OnnxModel _model;
    private readonly Lazy<int[]> _strides;
    private readonly Lazy<string[]> _outputs;

    internal YuNetDetector(OnnxModel model)
    {
        _model = model;
        _strides = new(
            () =>
                [
                    .. model
                        .OutputNames.Where(name => name.StartsWith("cls_", StringComparison.Ordinal))
                        .Select(name => int.Parse(name.AsSpan(4)))
                        .Order(),
                ],
            LazyThreadSafetyMode.PublicationOnly
        );
        _outputs = new(
            () => [.. _strides.Value.SelectMany(stride => new[] { $"cls_{stride}", $"obj_{stride}", $"bbox_{stride}", $"kps_{stride}" })],
            LazyThreadSafetyMode.PublicationOnly
        );
    }

    /// <summary>Side of the square that the model takes (128 the toy, 640 the real one).</summary>
    public int InputSide => _model.InputShape("input")[2];

    /// <summary>Faces, the surest first, in the picture's own pixels.</summary>
    public IReadOnlyList<FaceBox> Detect(PixelGrid picture, CancellationToken cancel = default)
    {
        var side = InputSide;
        var (square, scale) = Letterbox(picture, side);
        var found = Decode(Run(square, cancel), side);
        return scale == 1 ? found : [.. found.Select(face => face.Scaled(1 / scale))];
    }

    /// <summary>The raw outputs for a picture of exactly the model's side, by name.</summary>
    public IReadOnlyDictionary<string, ModelOutput> Run(PixelGrid square, CancellationToken cancel = default) =>
        Run(PixelTensor.BlueGreenRed(square), cancel);

    /// <summary>The raw outputs for pixels [3, s, s] in the order blue, green, red, 0..255, by name.</summary>
    public IReadOnlyDictionary<string, ModelOutput> Run(float[] pixels, CancellationToken cancel = default)
    {
        var side = InputSide;
        var names = _outputs.Value;
        var outputs = _model.Run([new ModelInput("input", pixels, 1, 3, side, side)], names, cancel);
        return names.Zip(outputs).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    private static (PixelGrid Square, float Scale) Letterbox(PixelGrid picture, int side)
    {
        if (picture.Width == side && picture.Height == side)
            return (picture, 1);
        var scale = (float)side / Math.Max(picture.Width, picture.Height);
        var width = Math.Clamp((int)MathF.Round(picture.Width * scale), 1, side);
        var height = Math.Clamp((int)MathF.Round(picture.Height * scale), 1, side);
        var small = PictureResizer.Resize(picture, width, height, ResizeFilter.Bilinear);
        var square = new PixelGrid(side, side, 3);
        for (var y = 0; y < height; y++)
            small.Data.AsSpan(y * width * 3, width * 3).CopyTo(square.Data.AsSpan(y * side * 3));
        return (square, scale);
    }

    private List<FaceBox> Decode(IReadOnlyDictionary<string, ModelOutput> outputs, int side)
    {
        var candidates = new List<FaceBox>();
        foreach (var stride in _strides.Value)
        {
            var (cls, obj) = (outputs[$"cls_{stride}"].Values, outputs[$"obj_{stride}"].Values);
            var (box, points) = (outputs[$"bbox_{stride}"].Values, outputs[$"kps_{stride}"].Values);
            var columns = side / stride;
            for (var cell = 0; cell < cls.Length; cell++)
            {
                var score = MathF.Sqrt(Math.Clamp(cls[cell], 0, 1) * Math.Clamp(obj[cell], 0, 1));
                if (score <= ScoreThreshold)
                    continue;
                var (row, column) = Math.DivRem(cell, columns);
                var (centreX, centreY) = ((column + box[4 * cell]) * stride, (row + box[4 * cell + 1]) * stride);
                var (width, height) = (MathF.Exp(box[4 * cell + 2]) * stride, MathF.Exp(box[4 * cell + 3]) * stride);
                var landmarks = new float[10];
                for (var k = 0; k < landmarks.Length; k++)
                    landmarks[k] = (points[10 * cell + k] + (k % 2 == 0 ? column : row)) * stride;
                candidates.Add(new FaceBox(score, centreX - width / 2, centreY - height / 2, width, height, landmarks));
            }
        }

        var kept = new List<FaceBox>();
        foreach (var candidate in candidates.OrderByDescending(face => face.Score))
        {
            if (kept.All(face => face.Overlap(candidate) <= OverlapThreshold))
                kept.Add(candidate);
        }
        return kept;
    }
}
