using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Pipelines;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Files;

/// <summary>Weights of other families are named as such, whichever program wrote them.</summary>
public sealed class ModelFamilyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sdxl-family-").FullName;
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly SdxlPipeline pipeline = SdxlPipeline.Load(Golden.BaseFolder, null, DiffusionDevice.Cpu);

    public void Dispose()
    {
        pipeline.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string ErrorOf(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var path = Path.Combine(folder, "weights.safetensors");
        SafetensorsWriter.Write(path, tensors, metadata);
        return Assert.ThrowsAny<IOException>(() =>
        {
            using var tune = FineTune.Load(path);
            pipeline.Apply(tune, 1);
        }).Message;
    }

    [Theory]
    [InlineData("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 768, "Stable Diffusion 1.x")]
    [InlineData("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 768, "Stable Diffusion 1.x")]
    [InlineData("lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_v", 768, "Stable Diffusion 1.x")]
    [InlineData("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 1024, "Stable Diffusion 2.x")]
    [InlineData("lora_unet_up_blocks_3_attentions_0_transformer_blocks_0_attn1_to_q", 320, "Stable Diffusion 1.x or 2.x (SD 1.5, SD 2)")]
    [InlineData("unet.down_blocks.0.attentions.0.proj_in", 320, "Stable Diffusion 1.x or 2.x (SD 1.5, SD 2)")]
    [InlineData("lora_te_text_model_encoder_layers_0_mlp_fc1", 768, "Stable Diffusion 1.x or 2.x")]
    [InlineData("lora_unet_double_blocks_0_img_attn_qkv", 3072, "Flux")]
    [InlineData("lora_unet_single_blocks_0_linear1", 3072, "Flux")]
    [InlineData("diffusion_model.double_blocks.0.img_attn.qkv", 3072, "Flux")]
    [InlineData("transformer.single_transformer_blocks.0.attn.to_q", 3072, "Flux")]
    [InlineData("lora_unet_joint_blocks_0_x_block_attn_qkv", 1536, "Stable Diffusion 3")]
    [InlineData("transformer.transformer_blocks.0.attn.add_k_proj", 1536, "Stable Diffusion 3")]
    [InlineData("diffusion_model.blocks.0.cross_attn.k", 1536, "Wan")]
    [InlineData("lora_unet_something_else", 64, null)]
    [InlineData("transformer.transformer_blocks.0.img_mlp.net.0.proj", 3072, "Qwen-Image")]
    [InlineData("unet.down_blocks.2.attentions.0.transformer_blocks.0.attn2.to_k", 2048, "SDXL in its full size")]
    public void A_LoRA_says_what_it_was_made_for(string layer, int width, string? family)
    {
        foreach (var (down, up) in new[] { (".lora_down.weight", ".lora_up.weight"), (".lora_A.weight", ".lora_B.weight") })
        {
            var error = ErrorOf(new Dictionary<string, Tensor> { [layer + down] = ones(4, width), [layer + up] = ones(width, 4) });
            Assert.Contains(family is null ? "The file was made for another kind of model" : $"It was made for {family}", error);
            Assert.Equal(family is not null and not "SDXL in its full size",
                error.Contains("Use weights that were made for SDXL.", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("ss_base_model_version", "sd_v1", "Stable Diffusion 1.x")]
    [InlineData("modelspec.architecture", "stable-diffusion-v2-768-v/lora", "Stable Diffusion 2.x")]
    [InlineData("modelspec.architecture", "stable-diffusion-3-medium/lora", "Stable Diffusion 3")]
    [InlineData("ss_base_model_version", "flux1", "Flux")]
    public void Where_names_tell_nothing_the_header_does(string key, string value, string family)
    {
        var error = ErrorOf(
            new Dictionary<string, Tensor> { ["lora_unet_other.lora_down.weight"] = ones(4, 8),
                ["lora_unet_other.lora_up.weight"] = ones(8, 4) }, new Dictionary<string, string> { [key] = value });
        Assert.Contains($"It was made for {family}", error);
    }

    [Fact]
    public void Embeddings_and_checkpoints_of_others_are_named_too()
    {
        Assert.Contains("It was made for Stable Diffusion 1.x or 2.x",
            ErrorOf(new Dictionary<string, Tensor> { ["emb_params"] = ones(2, 768) }));
        Assert.Contains("It was made for Stable Diffusion 1.x", ErrorOf(new Dictionary<string, Tensor>
        {
            ["model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"] = ones(320, 768),
            ["cond_stage_model.transformer.text_model.final_layer_norm.weight"] = ones(768),
        }));
        Assert.Contains("It was made for Stable Diffusion 2.x",
            ErrorOf(new Dictionary<string, Tensor> { ["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"] =
            ones(320, 1024) }));
        Assert.Contains("It was made for Flux",
            ErrorOf(new Dictionary<string, Tensor> { ["double_blocks.0.img_attn.qkv.weight"] = ones(6, 2) }));
    }
}
