using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Nets;

public sealed class AttentionTests
{
    [Fact]
    public void Kept_text_gives_the_same_answer_and_a_new_text_is_noticed()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var given = Golden.Open(Golden.With("sample", "timestep", "output", "facts.model")[0]);
        using var net = Golden.UNet(given.Text("model"));
        Tensor Run(Tensor text) => net.call(given["sample"], given["timestep"], text, given["text_embeds"], given["time_ids"]);
        var (one, other) = (given["encoder_hidden_states"], given["encoder_hidden_states"] * Num(0.5));
        var (plain, plainOther) = (Run(one), Run(other));
        net.KeepText(true);
        Run(one);
        Golden.Close(plain, Run(one), 1e-5, "kept text");
        Golden.Close(plainOther, Run(other), 1e-5, "another text");
        net.KeepText(false);
        Assert.True(plain.eq(Run(one)).all().item<bool>());
    }
}
