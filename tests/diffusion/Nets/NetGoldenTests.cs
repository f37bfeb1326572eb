using Sdxl.Core.Text;
using Sdxl.Diffusion.Adapters;
using Sdxl.Diffusion.Files;
using Sdxl.Diffusion.Models;
using Sdxl.Diffusion.Nets;
using static TorchSharp.torch;

namespace Sdxl.Diffusion.Tests.Nets;

public sealed class NetGoldenTests
{
    public static TheoryData<string> UNets => new(Golden.With("sample", "timestep", "output", "facts.model"));

    public static TheoryData<string> Vaes => new(Golden.With("image", "mean", "latent", "decoded"));

    public static TheoryData<string> TextEncoders => new(Golden.With("ids_1", "ids_2", "te1_last", "te2_last"));

    public static TheoryData<string> NewTokens => new(Golden.With("ids_1", "ids_2", "rows_1", "rows_2", "te1_penultimate"));

    public static TheoryData<string, bool> Loras
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var golden in Golden.With("sample", "output_without", "facts.files"))
            {
                cases.Add(golden, false);
                cases.Add(golden, true);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(UNets))]
    public void The_U_Net_agrees_with_the_reference_at_every_named_module(string golden)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var given = Golden.Open(golden);
        using var net = Golden.UNet(given.Text("model"));
        var seen = new Dictionary<string, Tensor>();
        net.Observe((name, value) => seen[name] = value.clone().DetachFromDisposeScope());

        var output = net.call(given["sample"], given["timestep"], given["encoder_hidden_states"], given["text_embeds"], given["time_ids"]);

        foreach (var at in given.Names.Where(n => n.StartsWith("at.", StringComparison.Ordinal)).OrderBy(n => n.Count(c => c == '.')))
            Golden.Close(given[at], seen[at[3..]], Golden.Pass, at);
        Golden.Close(given["output"], output, Golden.Pass, "output");
    }

    [Theory]
    [MemberData(nameof(Vaes))]
    public void The_VAE_encodes_and_decodes_as_the_golden_says(string golden)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var given = Golden.Open(golden);
        using var net = Golden.Vae(given.Text("model"));

        var posterior = net.Encode(given["image"]);
        Golden.Close(given["mean"], posterior.Mean, Golden.Pass, "mean");
        Golden.Close(given["logvar"], posterior.LogVariance, Golden.Pass, "logvar");
        Golden.Close(given["decoded"], net.Decode(given["latent"]), Golden.Pass, "decoded");
    }

    [Theory]
    [MemberData(nameof(TextEncoders))]
    public void Text_encoders_give_the_golden_states_and_pool_at_the_first_end_of_text(string golden)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var given = Golden.Open(golden);
        var model = given.Text("model");
        using var first = Golden.Text(model, "text_encoder");
        using var second = Golden.Text(model, "text_encoder_2");
        var end = ClipTokenizer.Load(Path.Combine(Golden.Folder(model), "tokenizer")).EndOfText;
        var end2 = ClipTokenizer.Load(Path.Combine(Golden.Folder(model), "tokenizer_2")).EndOfText;

        var states = first.forward(given["ids_1"], end, wantLast: true);
        Golden.Close(given["te1_penultimate"], states.Penultimate, Golden.Pass, "te1_penultimate");
        Golden.Close(given["te1_last"], states.Last!, Golden.Pass, "te1_last");
        var states2 = second.forward(given["ids_2"], end2, wantLast: true);
        Golden.Close(given["te2_penultimate"], states2.Penultimate, Golden.Pass, "te2_penultimate");
        Golden.Close(given["te2_last"], states2.Last!, Golden.Pass, "te2_last");
        Golden.Close(given["te2_pooled"], states2.Pooled!, Golden.Pass, "te2_pooled");
    }

    [Theory]
    [MemberData(nameof(NewTokens))]
    public void New_tokens_are_looked_up_in_the_added_rows_alone_as_the_golden_says(string golden)
    {
        using var scope = NewDisposeScope();
        using var given = Golden.Open(golden);
        var folder = Golden.BaseFor(given.Facts, given.File, "rows_1", "rows_2");
        using var first = Golden.Text(folder, "text_encoder");
        using var second = Golden.Text(folder, "text_encoder_2");
        foreach (var (tokenizer, ids) in new[] { ("tokenizer", "ids_1"), ("tokenizer_2", "ids_2") })
        {
            var tokens = ClipTokenizer.Load(Path.Combine(folder, tokenizer)).WithAddedTokens(given.Texts("new_tokens"));
            Assert.Equal(given.Int("end_of_text"), tokens.EndOfText);
            Assert.Equal(given[ids].data<long>().ToArray(), given.Texts("texts").SelectMany(t => tokens.Encode(t)).Select(id => (long)id));
        }
        var end = given.Int("end_of_text");
        var rows = given["rows_2"].requires_grad_();

        Golden.Close(
            given["te1_penultimate"],
            first.forward(given["ids_1"], end, given["rows_1"]).Penultimate,
            Golden.Pass,
            "te1_penultimate"
        );
        var states = second.forward(given["ids_2"], end, rows);
        Golden.Close(given["te2_penultimate"], states.Penultimate, Golden.Pass, "te2_penultimate");
        Golden.Close(given["te2_pooled"], states.Pooled!, Golden.Pass, "te2_pooled");

        BackwardPass.Run(states.Pooled!.sum());
        Assert.Equal(rows.shape, rows.grad!.shape);
        Assert.True(rows.grad.abs().sum().item<float>() > 0, "no gradient reached the new rows");
        Assert.All(second.parameters(), p => Assert.Null(p.grad));
    }

    [Theory]
    [MemberData(nameof(Loras))]
    public void A_LoRA_changes_the_U_Net_as_the_golden_says_at_any_scale_and_leaves_nothing_behind(string golden, bool merged)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        using var given = Golden.Open(golden);
        var folder = Golden.Folder(given.Text("model"));
        using var net = Golden.UNet(given.Text("model"));
        var linears = net.named_modules().Where(m => m.module is Linear).ToDictionary(m => m.name, m => (Linear)m.module);
        var targets = new LoraTargets(
            new Dictionary<string, IReadOnlyList<string>> { ["unet"] = [.. linears.Keys] },
            SdxlModel.NamesFor(
                UNetConfig.Load(Path.Combine(folder, "unet", "config.json")),
                VaeConfig.Load(Path.Combine(folder, "vae", "config.json"))
            )
        );
        Tensor Run() =>
            net.call(given["sample"], given["timestep"], given["encoder_hidden_states"], given["text_embeds"], given["time_ids"]);

        var before = Run();
        Golden.Close(given["output_without"], before, Golden.Pass, "output_without");
        var scaled = given.Names.Where(n => n.StartsWith(ScaledOutput, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(scaled);
        foreach (var path in given.Texts("files"))
        {
            using var file = SafetensorsFile.Open(Path.Combine(Path.GetDirectoryName(TestPaths.Golden(golden))!, path));
            foreach (var name in scaled)
            {
                var digits = name[ScaledOutput.Length..]; // 06 is 0.6
                var strength = double.Parse($"{digits[0]}.{digits[1..]}", System.Globalization.CultureInfo.InvariantCulture);
                foreach (
                    var layer in LoraFile
                        .Read(file, targets, $$"""{"lora_alpha": {{given.Facts.GetProperty("alpha")}}}""")
                        .Cast<LoraLayer>()
                )
                {
                    var linear = linears[layer.Module];
                    linear.Attach(new LowRankBranch(layer.Down, layer.Up, strength * layer.Scale, layer.Magnitude));
                    if (merged)
                        linear.Branch!.Merge(linear.Weight);
                }
                Golden.Close(given[name], Run(), Golden.Pass, $"{path}, {name}");
                foreach (var linear in linears.Values)
                {
                    linear.Branch?.Unmerge();
                    linear.Attach(null);
                }
            }
        }
        Assert.True(before.equal(Run()).all().item<bool>(), "the base model is not exactly restored");
    }

    private const string ScaledOutput = "output_scale_";
}
