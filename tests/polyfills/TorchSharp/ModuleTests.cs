using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static Sdxl.Polyfills.TorchSharp.Tests.Numbers;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

public class ModuleTests
{
    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly Linear proj = nn.Linear(2, 2);
        private readonly ModuleList<Linear> layers = nn.ModuleList(nn.Linear(2, 3), nn.Linear(3, 2, hasBias: false));
        private readonly Parameter scale = nn.Parameter(ones(1));
        private readonly Linear? absent = null;

        public Block() : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input) => layers[1].call(layers[0].call(proj.call(input))) * scale + (absent is null ? 0 : 1);
    }

    [Fact]
    public void Fields_register_under_their_own_names()
    {
        using var block = new Block();
        Assert.Equal(["scale", "proj.bias", "proj.weight", "layers.0.bias", "layers.0.weight", "layers.1.weight"],
            block.named_parameters().Select(p => p.name).OrderBy(n => n.Split('.').Length).ThenBy(n => n.StartsWith("proj", StringComparison.Ordinal) ? 0 : 1).ThenBy(n => n, StringComparer.Ordinal));
        Assert.Equal(["proj", "layers"], block.named_children().Select(c => c.name));
        Assert.Equal(["proj", "layers", "layers.0", "layers.1"], block.named_modules().Select(c => c.name));
        Assert.Equal(6, block.state_dict().Count);
        Assert.Equal([2, 2], block.get_parameter("proj.weight")!.shape);
        Assert.Null(block.get_parameter("absent.weight"));
    }

    private sealed class Untidy : nn.Module<Tensor, Tensor>
    {
        private readonly List<Linear> hidden = [nn.Linear(1, 1)];
        private readonly Tensor constant = ones(3);
        [ComponentName(Name = "renamed")] private readonly Linear original = nn.Linear(1, 1);

        public Linear Property { get; } = nn.Linear(1, 1);

        public Untidy() : base(nameof(Untidy)) => RegisterComponents();

        public override Tensor forward(Tensor input) => hidden[0].call(original.call(input)) + constant;
    }

    [Fact]
    public void Lists_are_skipped_properties_mangled_and_tensors_become_buffers()
    {
        using var untidy = new Untidy();
        var keys = untidy.state_dict().Keys.Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["<Property>k__BackingField.bias", "<Property>k__BackingField.weight", "constant", "renamed.bias", "renamed.weight"], keys);
        Assert.Equal(["constant"], untidy.named_buffers().Select(b => b.name));
    }

    private class Base : nn.Module<Tensor, Tensor>
    {
        private readonly Linear first = nn.Linear(1, 1);

        protected Base() : base(nameof(Base)) => RegisterComponents();

        public override Tensor forward(Tensor input) => first.call(input);
    }

    private sealed class Derived : Base
    {
        private readonly Linear late;

        public Derived()
        {
            late = nn.Linear(1, 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => late.call(base.forward(input));
    }

    [Fact]
    public void Registration_happens_once_so_a_base_class_hides_later_fields()
    {
        using var derived = new Derived();
        Assert.Equal(["first.bias", "first.weight"], derived.state_dict().Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Converting_replaces_parameter_objects_and_their_fields()
    {
        using var block = new Block();
        var (before, weightBefore) = (block.get_parameter("scale")!, block.get_parameter("proj.weight")!);
        var input = ones(1, 2);
        var expected = block.call(input);
        block.to(ScalarType.Float64);
        Assert.NotSame(before, block.get_parameter("scale"));
        Assert.NotSame(weightBefore, block.get_parameter("proj.weight"));
        Assert.True(before.IsInvalid);
        Assert.All(block.parameters(), p => Assert.Equal(ScalarType.Float64, p.dtype));
        Assert.All(block.parameters(), p => Assert.True(p.requires_grad && p.is_leaf));
        AssertClose(Values(expected), block.call(input.@double()));
        Assert.Throws<ArgumentException>(() => block.to(ScalarType.Int64));
    }

    [Fact]
    public void A_state_is_loaded_by_name_and_a_strict_load_refuses_other_names()
    {
        using Block source = new(), target = new();
        var (missing, unexpected) = target.load_state_dict(source.state_dict());
        Assert.Empty(missing);
        Assert.Empty(unexpected);
        AssertClose(Values(source.call(ones(1, 2))), target.call(ones(1, 2)));

        var changed = source.state_dict();
        changed.Remove("scale");
        changed["stranger"] = ones(1);
        Assert.Equal("The loaded state_dict is not identical to the target dictionary.", Assert.Throws<InvalidOperationException>(() => target.load_state_dict(changed)).Message);
        (missing, unexpected) = target.load_state_dict(changed, strict: false);
        Assert.Equal(["scale"], missing);
        Assert.Equal(["stranger"], unexpected);
    }

    [Fact]
    public void Modes_reach_every_submodule()
    {
        using var block = new Block();
        Assert.True(block.training);
        block.eval();
        Assert.All(block.modules(), m => Assert.False(m.training));
        block.train();
        Assert.All(block.modules(), m => Assert.True(m.training));
        var count = 0;
        block.apply(_ => count++);
        Assert.Equal(5, count);
    }

    [Fact]
    public void Disposing_a_module_disposes_its_parameters()
    {
        var block = new Block();
        var parameters = block.parameters().ToArray();
        block.Dispose();
        Assert.All(parameters, p => Assert.True(p.IsInvalid));
    }

    [Fact]
    public void Parameters_survive_the_scope_that_made_the_layer()
    {
        Linear linear;
        Conv2d conv;
        using (NewDisposeScope())
            (linear, conv) = (nn.Linear(2, 2), nn.Conv2d(1, 1, 3));
        Assert.False(linear.weight.IsInvalid);
        Assert.False(conv.bias!.IsInvalid);
    }

    [Fact]
    public void A_parameter_takes_the_handle_of_its_tensor()
    {
        var data = ones(2);
        var parameter = new Parameter(data);
        Assert.True(data.IsInvalid);
        Assert.True(parameter.requires_grad);
        using var layer = nn.Linear(2, 1);
        var old = layer.weight;
        layer.weight = nn.Parameter(full(1, 2, 3.0));
        Assert.True(old.IsInvalid);
        AssertClose([3, 3], layer.get_parameter("weight")!);
    }

    [Fact]
    public void Sequential_names_its_modules_by_number_and_calls_them_in_turn()
    {
        using var net = nn.Sequential(nn.Linear(2, 4), nn.SiLU(), nn.Linear(4, 1));
        Assert.Equal(["0.bias", "0.weight", "2.bias", "2.weight"], net.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.Equal([5, 1], net.call(ones(5, 2)).shape);
        Assert.Equal(3, net.Count);
    }

    [Fact]
    public void Buffers_and_modules_refuse_bad_names_and_doubles()
    {
        using var block = new Block();
        Assert.Throws<InvalidOperationException>(() => block.register_module("proj", nn.Linear(1, 1)));
        Assert.Throws<ArgumentException>(() => block.register_module("a.b", nn.Linear(1, 1)));
        block.register_buffer("kept", ones(1));
        block.register_buffer("temporary", ones(1), persistent: false);
        Assert.Throws<InvalidOperationException>(() => block.register_buffer("kept", ones(1)));
        Assert.Contains("kept", block.state_dict().Keys);
        Assert.DoesNotContain("temporary", block.state_dict().Keys);
    }
}
