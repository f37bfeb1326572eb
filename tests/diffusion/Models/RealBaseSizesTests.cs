using System.Text.Json;
using Sdxl.Core.Bases;

namespace Sdxl.Diffusion.Tests.Models;

/// <summary>
/// The real SDXL is not on this machine; how large its files are is in the manifest, and how many numbers its nets hold in the goldens.
/// </summary>
public sealed class RealBaseSizesTests
{
    private const int HeaderBytesPerTensor = 200; // a safetensors header names each tensor with type, shape and place in 100 to 140 bytes

    [Theory]
    [InlineData("unet", "unet/diffusion_pytorch_model.fp16.safetensors", 2)]
    [InlineData("vae", "vae/diffusion_pytorch_model.safetensors", 4)] // the fp16-safe one comes in fp32
    [InlineData("text_encoder", "text_encoder/model.fp16.safetensors", 2)]
    [InlineData("text_encoder_2", "text_encoder_2/model.fp16.safetensors", 2)]
    public void The_manifests_weights_are_as_large_as_the_golden_nets_that_read_them(string net, string file, int bytesPerNumber)
    {
        var golden = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(TestPaths.Golden("keys", $"sdxl-{net}.json")));
        var numbers = golden.GetProperty("parameters").GetInt64() * bytesPerNumber;
        var tensors = golden.GetProperty("shapes").EnumerateObject().Count();
        var bytes = BaseManifest.Load(TestPaths.Models, "sdxl").Files.Single(f => f.Path == $"sdxl/base/{file}").Bytes!.Value;
        Assert.InRange(bytes, numbers, numbers + tensors * HeaderBytesPerTensor);
    }
}
