using Microsoft.ML.OnnxRuntime;

namespace Sdxl.Vision.Models;

/// <summary>A named input: floats (pixels, states) or 64-bit ids, row-major; the array may be longer than the shape.</summary>
public sealed record ModelInput
{
    private readonly float[]? _floats;
    private readonly long[]? _ids;

    public ModelInput(string name, float[] values, params long[] shape) => (Name, _floats, Shape) = (name, values, shape);

    public ModelInput(string name, long[] ids, params long[] shape) => (Name, _ids, Shape) = (name, ids, shape);

    public string Name { get; }

    public long[] Shape { get; }

    private int Elements => checked((int)Shape.Aggregate(1L, (product, side) => product * side));

    internal OrtValue ToOrtValue() =>
        _floats is not null
            ? OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, _floats.AsMemory(0, Elements), Shape)
            : OrtValue.CreateTensorValueFromMemory(_ids!, Shape);
}

/// <summary>An output copied out of native memory, row-major.</summary>
public sealed record ModelOutput(float[] Values, long[] Shape);

/// <summary>Takes what is needed of an output, row-major, while it lies in native memory; the span ends with the call.</summary>
public delegate T ReadOutput<T>(ReadOnlySpan<float> values, long[] shape);
