using Sdxl.Diffusion.Models;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Pipelines;

/// <summary>
/// The sizes that the U-Net is told, in fp32: original height and width, top and left of the crop, then target height and width, or for the
/// refiner an aesthetic score.
/// </summary>
public static class SizeIds
{
    /// <summary>[batch, 6]; for the refiner [batch, 5].</summary>
    public static Tensor For(SdxlModel model, int height, int width, double aestheticScore, long batch)
    {
        float[] ids = model.RequiresAestheticsScore
            ? [height, width, 0, 0, (float)aestheticScore]
            : [height, width, 0, 0, height, width];
        using var scope = NewDisposeScope();
        return tensor(ids).unsqueeze(0).expand(batch, ids.Length).contiguous().to(model.Device.Device).MoveToOuterDisposeScope();
    }
}
