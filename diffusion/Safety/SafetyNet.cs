using Sdxl.Diffusion.Nets;
using Parameter = TorchSharp.Modules.Parameter;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Safety;

/// <summary>Vision tower, projection and the fixed concept vectors, under the checkpoint's names. pixels [B,3,s,s] -> [B,P].</summary>
internal sealed class SafetyNet : nn.Module<Tensor, Tensor>
{
    private readonly ClipVisionModel vision_model;
    private readonly Linear visual_projection;
    private readonly Parameter concept_embeds;              // [17,P]
    private readonly Parameter special_care_embeds;         // [3,P]
    private readonly Parameter concept_embeds_weights;      // [17]: thresholds
    private readonly Parameter special_care_embeds_weights; // [3]

    public SafetyNet(ClipVisionConfig config, int projection, Placement at) : base(nameof(SafetyNet))
    {
        vision_model = new ClipVisionModel(config, at);
        visual_projection = new Linear(at, config.HiddenSize, projection, hasBias: false);
        concept_embeds = Weights.Allocate(at, 17, projection);
        special_care_embeds = Weights.Allocate(at, 3, projection);
        concept_embeds_weights = Weights.Allocate(at, 17);
        special_care_embeds_weights = Weights.Allocate(at, 3);
        RegisterComponents();
    }

    public Tensor Concepts => concept_embeds;

    public Tensor SpecialConcepts => special_care_embeds;

    public Tensor ConceptThresholds => concept_embeds_weights;

    public Tensor SpecialThresholds => special_care_embeds_weights;

    public override Tensor forward(Tensor pixels)
    {
        using var pooled = vision_model.call(pixels);
        return visual_projection.call(pooled);
    }
}
