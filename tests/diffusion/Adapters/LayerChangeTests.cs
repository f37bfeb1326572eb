using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Nets;
using Sdxl.Diffusion.Randomness;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Adapters;

/// <summary>LoCon, LoHa and LoKr compared number by number with sums written as their papers write them.</summary>
public sealed class LayerChangeTests : IDisposable
{
    // Sides of the layer [Out, In, Kernel, Kernel], all different, so that no two can be swapped.
    private const int Out = 6, In = 8, Kernel = 3, Rank = 2;

    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-changes-").FullName;
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Dictionary<string, Tensor> file = [];

    public void Dispose()
    {
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>A tensor of the file, as a function of its indices.</summary>
    private Func<int[], float> Part(string end, params int[] shape)
    {
        var tensor = CounterRandom.Normal(7, RandomPurpose.InitialWeights, 0, file.Count, [.. shape.Select(s => (long)s)]);
        file["lora_unet_input_blocks_0_0." + end] = tensor;
        var numbers = tensor.data<float>().ToArray();
        return at => numbers[at.Select((index, side) => index * shape[(side + 1)..].Aggregate(1, (a, b) => a * b)).Sum()];
    }

    private LayerChange Read(double? alpha = null)
    {
        if (alpha is { } given)
            file["lora_unet_input_blocks_0_0.alpha"] = tensor((float)given);
        var path = Path.Combine(folder, "change.safetensors");
        SafetensorsWriter.Write(path, file);
        using var opened = SafetensorsFile.Open(path);
        var targets = new LoraTargets(new Dictionary<string, IReadOnlyList<string>> { ["unet"] = ["conv_in"] },
            new SingleFileNames([1], [false], 1));
        return Assert.Single(LoraFile.Read(opened, targets));
    }

    private static double Sum(int count, Func<int, double> term) => Enumerable.Range(0, count).Sum(term);

    /// <param name="kernel">0: a linear layer.</param>
    private static void AssertDelta(LayerChange change, int kernel, Func<int, int, int, int, double> expected)
    {
        long[] shape = kernel == 0 ? [Out, In] : [Out, In, kernel, kernel];
        Assert.Equal((Out, In * Math.Max(1, kernel * kernel)), ((int)change.Size.Rows, (int)change.Size.Columns));
        var side = Math.Max(1, kernel);
        var numbers = Enumerable.Range(0, Out * In * side * side)
            .Select(i => expected(i / (In * side * side), i / (side * side) % In, i / side % side, i % side)).ToArray();
        Golden.Close(tensor(numbers).reshape(shape), change.Delta().reshape(shape), 1e-5, "delta"); // fp32 sums of a few dozen products
        Golden.Close(change.Delta() * Num(-0.5), change.Delta(-0.5), 1e-6, "at another strength");
    }

    [Fact]
    public void LoCon_is_a_convolution_after_a_convolution()
    {
        var (down, up) = (Part("lora_down.weight", Rank, In, Kernel, Kernel), Part("lora_up.weight", Out, Rank, 1, 1));
        AssertDelta(Read(alpha: 1), Kernel, (o, i, y, x) => 0.5 * Sum(Rank, r => up([o, r, 0, 0]) * down([r, i, y, x])));
    }

    [Fact]
    public void LoCon_in_Tuckers_form_has_a_convolution_between()
    {
        var (down, mid, up) = (Part("lora_down.weight", Rank, In, 1, 1), Part("lora_mid.weight", Rank, Rank, Kernel, Kernel),
            Part("lora_up.weight", Out, Rank, 1, 1));
        AssertDelta(Read(alpha: 4), Kernel,
            (o, i, y, x) => 2 * Sum(Rank, a => Sum(Rank, b => up([o, a, 0, 0]) * mid([a, b, y, x]) * down([b, i, 0, 0]))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Kernel)]
    public void LoHa_multiplies_two_products(int kernel)
    {
        var columns = In * Math.Max(1, kernel * kernel);
        var (a1, b1) = (Part("hada_w1_a", Out, Rank), Part("hada_w1_b", Rank, columns));
        var (a2, b2) = (Part("hada_w2_a", Out, Rank), Part("hada_w2_b", Rank, columns));
        AssertDelta(Read(alpha: 1), kernel, (o, i, y, x) =>
        {
            var column = kernel == 0 ? i : (i * kernel + y) * kernel + x;
            return 0.5 * Sum(Rank, r => a1([o, r]) * b1([r, column])) * Sum(Rank, r => a2([o, r]) * b2([r, column]));
        });
    }

    [Fact]
    public void LoHa_in_Tuckers_form_has_cores()
    {
        var (t1, a1, b1) = (Part("hada_t1", Rank, Rank, Kernel, Kernel), Part("hada_w1_a", Rank, Out), Part("hada_w1_b", Rank, In));
        var (t2, a2, b2) = (Part("hada_t2", Rank, Rank, Kernel, Kernel), Part("hada_w2_a", Rank, Out), Part("hada_w2_b", Rank, In));
        AssertDelta(Read(), Kernel, (o, i, y, x) =>
            Sum(Rank, a => Sum(Rank, b => t1([a, b, y, x]) * a1([a, o]) * b1([b, i])))
            * Sum(Rank, a => Sum(Rank, b => t2([a, b, y, x]) * a2([a, o]) * b2([b, i]))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Kernel)]
    public void LoKr_of_two_whole_matrices_is_their_Kronecker_product_whatever_alpha_says(int kernel)
    {
        var w1 = Part("lokr_w1", 2, 4);
        int[] second = kernel == 0 ? [Out / 2, In / 4] : [Out / 2, In / 4, kernel, kernel];
        var w2 = Part("lokr_w2", second);
        AssertDelta(Read(alpha: 7), kernel, (o, i, y, x) =>
            w1([o / (Out / 2), i / (In / 4)]) * w2(kernel == 0 ? [o % (Out / 2), i % (In / 4)] : [o % (Out / 2), i % (In / 4), y, x]));
    }

    [Fact]
    public void LoKr_of_low_rank_products_is_scaled_by_alpha()
    {
        var (a1, b1) = (Part("lokr_w1_a", 2, Rank), Part("lokr_w1_b", Rank, 4));
        var (a2, b2) = (Part("lokr_w2_a", Out / 2, Rank), Part("lokr_w2_b", Rank, In / 4 * Kernel * Kernel));
        AssertDelta(Read(alpha: 1), Kernel, (o, i, y, x) =>
            0.5 * Sum(Rank, r => a1([o / 3, r]) * b1([r, i / 2]))
            * Sum(Rank, r => a2([o % 3, r]) * b2([r, (i % 2 * Kernel + y) * Kernel + x])));
    }

    [Fact]
    public void LoKr_in_Tuckers_form_has_a_core()
    {
        var w1 = Part("lokr_w1", 2, 4);
        var (t2, a2, b2) = (Part("lokr_t2", Rank, Rank, Kernel, Kernel), Part("lokr_w2_a", Rank, Out / 2), Part("lokr_w2_b", Rank, In / 4));
        AssertDelta(Read(alpha: 6), Kernel, (o, i, y, x) =>
            3 * w1([o / 3, i / 2]) * Sum(Rank, a => Sum(Rank, b => t2([a, b, y, x]) * a2([a, o % 3]) * b2([b, i % 2]))));
    }

    [Fact]
    public void DoRAs_magnitude_is_the_length_of_a_convolutions_rows_too()
    {
        Part("lora_down.weight", Rank, In, Kernel, Kernel);
        Part("lora_up.weight", Out, Rank, 1, 1);
        var lengths = tensor([.. Enumerable.Range(1, Out).Select(i => (float)i)]);
        file["lora_unet_input_blocks_0_0.dora_scale"] = lengths.view(-1, 1, 1, 1);
        var change = Read();
        var weight = ChangedWeight.Of(ones(Out, In, Kernel, Kernel), change.Delta(), change.Magnitude);
        Assert.Equal([Out, In, Kernel, Kernel], weight.shape);
        Golden.Close(lengths, weight.flatten(1).Squared().sum(1).sqrt(), 1e-5, "lengths");
        weight.Dispose();
    }

    [Theory]
    [InlineData("lora_down.weight", "has no up matrix")]
    [InlineData("hada_w1_a", "has no hada_w1_b")]
    [InlineData("lokr_w1", "has no lokr_w2, nor lokr_w2_a and lokr_w2_b")]
    [InlineData("alpha", "has no down matrix")]
    public void A_layer_that_lacks_a_part_is_refused(string end, string says)
    {
        Part(end, 2, 2);
        Assert.Contains(says, Assert.Throws<SafetensorsException>(() => Read()).Message);
    }

    [Fact]
    public void Parts_that_do_not_fit_are_refused()
    {
        Part("lora_down.weight", Rank, In, Kernel, Kernel);
        Part("lora_up.weight", Out, Rank + 1, 1, 1);
        Assert.Contains("their ranks differ", Assert.Throws<SafetensorsException>(() => Read()).Message);
        Part("lora_up.weight", Out, Rank, 1, 1);
        Part("hada_w1_a", Out, Rank);
        Assert.Contains("mixes kinds", Assert.Throws<SafetensorsException>(() => Read()).Message);
    }
}
