using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Numerics;

/// <summary>
/// Does a device compute what the nets are made of rightly? Some tens of milliseconds, asked before a worker takes its first job.
/// </summary>
/// <remarks>Each operation runs on small fixed inputs, with and without gradients, and is compared with fp64 on the CPU. A training on a
/// device that computes wrongly would end in white noise and say "succeeded".</remarks>
public static class NumericsCheck
{
    /// <summary>Largest difference, relative to max(1, what is expected). fp32 on a GPU may be TF32, whose products have 10 bits.</summary>
    private const double FloatTolerance = 1e-4, HalfTolerance = 3e-2;

    /// <summary>Finds out how the CPU convolves rightly, then checks every operation of the nets.</summary>
    /// <param name="types">Types of the nets' passes on this device.</param>
    /// <returns>How this process convolves on the device.</returns>
    /// <exception cref="NumericsException">Something is wrong all the same.</exception>
    public static ConvolutionPath Require(Device device, params IReadOnlyList<ScalarType> types)
    {
        var path = device.type == TorchSharp.DeviceType.CPU ? Convolution.OnCpu : ConvolutionPath.Plain;
        foreach (var type in types)
            Require(device, type, [.. NumericsCases.Convolutions(path), .. NumericsCases.Others]);
        return path;
    }

    /// <exception cref="NumericsException">One of <paramref name="cases"/> is wrong.</exception>
    internal static void Require(Device device, ScalarType type, IEnumerable<NumericsCase> cases)
    {
        if (FirstFault(device, type, cases) is { } fault)
            throw new NumericsException(fault);
    }

    /// <summary>The first case that the device gets wrong; null: none. NaN is wrong.</summary>
    public static NumericsFault? FirstFault(Device device, ScalarType type, IEnumerable<NumericsCase> cases)
    {
        var tolerance = type == ScalarType.Float32 && device.type == TorchSharp.DeviceType.CPU ? FloatTolerance : HalfTolerance;
        foreach (var one in cases)
        {
            using var scope = NewDisposeScope();
            // Rounded to the type before both sides see them
            var inputs = one.Shapes.Select((shape, i) => Numbers(shape, i).to_type(type)).ToList();
            Tensor fast;
            using (no_grad())
                fast = one.Operation([.. inputs.Select(i => i.to(device))]).cpu();
            var exact = WithGradients(one.Exact, inputs, CPU, ScalarType.Float64);
            var found = WithGradients(one.Operation, inputs, device, type);
            var parts = exact
                .Zip(found, (e, f) => (Exact: e, Found: f))
                .Select((p, i) => (Name: i == 0 ? "result" : $"gradient of input {i - 1}", p.Exact, p.Found));
            foreach (var (name, expected, value) in parts.Prepend(("result without gradients", exact[0], fast)))
            {
                if (Worst(expected, value, tolerance) is var (right, wrong))
                    return new NumericsFault(device.ToString(), type, one.Name, name, right, wrong);
            }
        }
        return null;
    }

    /// <summary>The operation's result and the gradients of all its inputs under a fixed gradient of the result, on the CPU.</summary>
    private static List<Tensor> WithGradients(
        Func<IReadOnlyList<Tensor>, Tensor> operation,
        List<Tensor> inputs,
        Device device,
        ScalarType type
    )
    {
        using var guard = enable_grad();
        var leaves = inputs.ConvertAll(i => i.detach().to(type, device, copy: true).requires_grad_());
        var result = operation(leaves);
        BackwardPass.Run(result, Numbers(result.shape, leaves.Count).to_type(inputs[0].dtype).to(type, device));
        return [result.detach().cpu(), .. leaves.Select(l => l.grad!.cpu())];
    }

    /// <summary>Expected and found number where they differ most, if that is too much.</summary>
    private static (double Expected, double Found)? Worst(Tensor expected, Tensor found, double tolerance)
    {
        if (!expected.shape.SequenceEqual(found.shape))
            return (expected.NumberOfElements, found.NumberOfElements);
        var (right, values) = (
            expected.contiguous().data<double>().ToArray(),
            found.to_type(ScalarType.Float64).contiguous().data<double>().ToArray()
        );
        var worst = Enumerable.Range(0, right.Length).MaxBy(i => Excess(right[i], values[i]));
        return Excess(right[worst], values[worst]) <= tolerance ? null : (right[worst], values[worst]);

        static double Excess(double right, double value) =>
            double.IsFinite(value) ? Math.Abs(value - right) / Math.Max(1, Math.Abs(right)) : double.PositiveInfinity;
    }

    /// <summary>
    /// Fixed numbers spread evenly over -1..1 (a Weyl sequence), fp32 on the CPU. The process's random generator is left as it is.
    /// </summary>
    private static Tensor Numbers(long[] shape, int stream)
    {
        const double golden = 0.6180339887498949;
        var count = shape.Aggregate(1L, (product, side) => product * side);
        var numbers = new float[count];
        for (long i = 0; i < count; i++)
            numbers[i] = (float)((i * golden + stream * 0.37) % 1 * 2 - 1);
        return tensor(numbers, shape);
    }
}
