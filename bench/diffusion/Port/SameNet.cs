using Sdxl.Core.Hosting;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Bench.Diffusion.Port;

/// <summary>Shows that both sides compute the same: one pass of each U-Net with the toy's weights.</summary>
internal static class SameNet
{
    /// <summary>Above this the port is another net, and no comparison.</summary>
    private const double Tolerance = 1e-3;

    public static double LargestDifference()
    {
        using var guard = no_grad();
        var folder = Path.Combine(Repository.Required, "models", "toy-sdxl");
        using var model = SdxlModel.Load(folder, DiffusionDevice.Cpu);
        var config = model.UNet.Config;
        var port = PortSteps.NewUNet(config, folder);
        var (x, text, pooled) = (
            randn(2, 4, OurSteps.Side, OurSteps.Side),
            randn(2, 77, config.CrossAttentionDim),
            randn(2, config.ProjectionInputDim - 6 * config.AdditionTimeEmbedDim)
        );
        var times = tensor(new float[] { 500, 20 });
        var difference = (model.UNet.call(x, times, text, pooled, OurSteps.Sizes(2)) - port.call(x, times, text, pooled, OurSteps.Sizes(2)))
            .abs()
            .max()
            .item<float>();
        return difference <= Tolerance
            ? difference
            : throw new InvalidOperationException(
                $"The port's U-Net differs from ours by {difference:g3}; it must be the same net (at most {Tolerance:g1})."
            );
    }
}
