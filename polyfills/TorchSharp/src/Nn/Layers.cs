using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>
/// What Linear, Convolution, GroupNorm and LayerNorm have in common: a weight, perhaps a bias, both replaced in place by .to().
/// (The real package repeats this in each of them; the type itself is not part of its API.)
/// </summary>
public abstract class WeightedLayer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(bias))]
    private protected Parameter? _bias;

    [ComponentName(Name = nameof(weight))]
    private protected Parameter? _weight;

    private protected WeightedLayer(string name) : base(name)
    {
    }

    public Parameter? bias
    {
        get => _bias;
        set
        {
            _bias?.Dispose();
            _bias = value?.DetachFromDisposeScope() as Parameter;
            ConditionallyRegisterParameter(nameof(bias), _bias);
        }
    }

    public Parameter weight
    {
        get => _weight!;
        set
        {
            if (value.Handle == _weight?.Handle)
                return;
            _weight?.Dispose();
            _weight = (Parameter)value.DetachFromDisposeScope();
            ConditionallyRegisterParameter(nameof(weight), _weight);
        }
    }

    private protected void DisposeParameters()
    {
        _weight?.Dispose();
        _bias?.Dispose();
    }

    protected internal override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => Replace(dtype, device);

    protected internal override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => Replace(null, new Device(deviceType, deviceIndex));

    protected internal override nn.Module _to(ScalarType dtype, bool non_blocking) => Replace(dtype, null);

    private WeightedLayer Replace(ScalarType? dtype, Device? device)
    {
        if (_weight is not null && ReplaceParameter(dtype ?? _weight.dtype, device ?? _weight.device, _weight, out var newWeight))
            weight = newWeight!;
        if (_bias is not null && ReplaceParameter(dtype ?? _bias.dtype, device ?? _bias.device, _bias, out var newBias))
            bias = newBias!;
        return this;
    }
}

/// <summary>y = x W' + b. x [.., in] -> [.., out]; weight [out, in].</summary>
public sealed class Linear : WeightedLayer
{
    internal Linear(Parameter weight, Parameter? bias = null) : base(nameof(Linear))
    {
        (in_features, out_features) = (weight.shape[1], weight.shape[0]);
        this.weight = weight;
        if (bias is not null)
            this.bias = bias;
    }

    internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Linear))
    {
        (in_features, out_features) = (inputSize, outputSize);
        weight = empty(outputSize, inputSize, device: device, dtype: dtype).AsParameter();
        nn.init.kaiming_uniform_(weight, a: Math.Sqrt(5));
        if (!hasBias)
            return;
        bias = empty(outputSize, device: device, dtype: dtype).AsParameter();
        var bound = inputSize > 0 ? 1 / Math.Sqrt(inputSize) : 0;
        nn.init.uniform_(bias, -bound, bound);
    }

    public long in_features { get; set; }

    public long out_features { get; set; }

    public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, _weight!, _bias);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            DisposeParameters();
    }
}

/// <summary>Base of the convolutions. weight [out, in / groups, kernel..].</summary>
public abstract class Convolution : WeightedLayer
{
    private protected long[] reversedPaddingTwice = [];

    private protected Convolution(string name, long in_channels, long out_channels, long[] kernel_size, long[] stride, long[]? padding, Padding? padding_type, long[] dilation, long groups, bool bias, PaddingModes padding_mode, Device? device, ScalarType? dtype)
        : base(name)
    {
        this.in_channels = in_channels;
        this.out_channels = out_channels;
        this.kernel_size = kernel_size;
        this.stride = stride;
        this.dilation = dilation;
        this.groups = groups;
        this.padding_mode = padding_mode;
        if (padding_type is { } type)
            SetPadding(type);
        else
            SetPadding(padding!);
        weight = nn.Parameter(empty([out_channels, in_channels / groups, .. kernel_size], device: device, dtype: dtype));
        if (bias)
            this.bias = nn.Parameter(empty(out_channels, device: device, dtype: dtype));
        reset_parameters();
    }

    public long in_channels { get; }

    public long out_channels { get; }

    public Padding? padding_type { get; private set; }

    public long[]? padding { get; private set; }

    public PaddingModes padding_mode { get; set; }

    public long groups { get; set; }

    public long[] kernel_size { get; set; }

    public long[] stride { get; set; }

    public long[] dilation { get; set; }

    public void reset_parameters()
    {
        nn.init.kaiming_uniform_(weight, Math.Sqrt(5));
        if (bias is null)
            return;
        var (fanIn, _) = nn.init.CalculateFanInAndFanOut(weight);
        if (fanIn != 0)
            nn.init.uniform_(bias, -1 / Math.Sqrt(fanIn), 1 / Math.Sqrt(fanIn));
    }

    public void SetPadding(long[] padding)
    {
        padding_type = null;
        this.padding = padding;
        reversedPaddingTwice = padding.Reverse().SelectMany(p => new[] { p, p }).ToArray();
    }

    public void SetPadding(Padding padding)
    {
        this.padding = null;
        padding_type = padding;
        reversedPaddingTwice = new long[kernel_size.Length * 2];
        if (padding != Padding.Same)
            return;
        if (stride.Any(s => s != 1))
            throw new ArgumentException("padding='same' is not supported for strided convolutions");
        for (var i = kernel_size.Length - 1; i >= 0; i--)
        {
            var total = dilation[i] * (kernel_size[i] - 1);
            reversedPaddingTwice[2 * i] = total / 2;
            reversedPaddingTwice[2 * i + 1] = total - total / 2;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            DisposeParameters();
    }
}

/// <summary>x [B, Cin, H, W] or [Cin, H, W] -> [B, Cout, H', W'].</summary>
public sealed class Conv2d : Convolution
{
    internal Conv2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long) stride, (long, long)? padding, Padding? padding_type, (long, long) dilation, long groups, bool bias, PaddingModes padding_mode, Device? device, ScalarType? dtype)
        : base(nameof(Conv2d), in_channels, out_channels, [kernel_size.Item1, kernel_size.Item2], [stride.Item1, stride.Item2],
            padding is { } p ? [p.Item1, p.Item2] : null, padding_type, [dilation.Item1, dilation.Item2], groups, bias, padding_mode, device, dtype)
    {
    }

    public override Tensor forward(Tensor input)
    {
        var shape = input.shape;
        if (!(shape.Length == 4 && shape[1] == in_channels || shape.Length == 3 && shape[0] == in_channels))
            throw new ArgumentException($"Expected 3D (unbatched) or 4D (batched) input with {in_channels} channels to Conv2d.");
        if (padding_mode != PaddingModes.Zeros)
        {
            using var padded = nn.functional.pad(input, reversedPaddingTwice, padding_mode);
            return nn.functional.conv2d(padded, weight, bias, stride, [0, 0], dilation, groups);
        }
        return padding_type is { } type
            ? nn.functional.conv2d_padding(input, weight, bias, stride, type, dilation, groups)
            : nn.functional.conv2d(input, weight, bias, stride, padding, dilation, groups);
    }
}

/// <summary>Normalizes groups of channels. Weight and bias are NOT initialised (as in 0.104 to 0.107): load or fill them.</summary>
public sealed class GroupNorm : WeightedLayer
{
    internal GroupNorm(long num_groups, long num_channels, double eps, bool affine, Device? device, ScalarType? dtype) : base(nameof(GroupNorm))
    {
        this.eps = eps;
        this.affine = affine;
        this.num_groups = num_groups;
        if (!affine)
            return;
        weight = nn.Parameter(empty(num_channels, dtype, device));
        bias = nn.Parameter(empty(num_channels, dtype, device));
    }

    public long num_groups { get; set; }

    public double eps { get; set; }

    public bool affine { get; set; }

    public override Tensor forward(Tensor tensor) => tensor.Dimensions >= 3
        ? nn.functional.group_norm(tensor, num_groups, weight, bias, eps)
        : throw new ArgumentException($"Invalid number of dimensions for GroupNorm argument: {tensor.Dimensions}");

    protected override void Dispose(bool disposing)
    {
        DisposeParameters();
        base.Dispose(disposing);
    }
}

/// <summary>Normalizes over the last dimensions, those of normalized_shape.</summary>
public sealed class LayerNorm : WeightedLayer
{
    internal LayerNorm(long[] normalized_shape, double eps, bool elementwise_affine, bool bias, Device? device, ScalarType? dtype) : base(nameof(LayerNorm))
    {
        this.normalized_shape = normalized_shape;
        this.eps = eps;
        this.elementwise_affine = elementwise_affine;
        if (elementwise_affine)
        {
            weight = nn.Parameter(empty(normalized_shape, dtype, device));
            if (bias)
                this.bias = nn.Parameter(empty(normalized_shape, dtype, device));
        }
        reset_parameters();
    }

    public long[] normalized_shape { get; set; }

    public double eps { get; set; }

    public bool elementwise_affine { get; set; }

    public void reset_parameters()
    {
        if (elementwise_affine)
            nn.init.ones_(weight);
        if (bias is not null)
            nn.init.zeros_(bias);
    }

    public override Tensor forward(Tensor tensor) => nn.functional.layer_norm(tensor, normalized_shape, weight, bias, eps);

    protected override void Dispose(bool disposing)
    {
        DisposeParameters();
        base.Dispose(disposing);
    }
}

/// <summary>Rows of a table by number. indices [..] of Int64 -> [.., width].</summary>
/// <remarks>As in the real package, the module keeps the table itself: what is registered is another handle on it, which belongs to the dispose scope
/// that was current at construction, and every reading of weight makes one more.</remarks>
public sealed class Embedding : nn.Module<Tensor, Tensor>
{
    private nint table;
    private readonly long paddingIndex;
    private readonly double? maxNorm;
    private readonly double normType;
    private readonly bool scaleByFrequency;
    private readonly bool sparse;

    internal Embedding(Tensor initial, bool requires_grad, long? padding_idx, double? max_norm, double norm_type, bool scale_grad_by_freq, bool sparse) : base(nameof(Embedding))
    {
        paddingIndex = padding_idx is { } index ? index < 0 ? index + initial.shape[0] : index : -1;
        maxNorm = max_norm;
        normType = norm_type;
        scaleByFrequency = scale_grad_by_freq;
        this.sparse = sparse;
        initial.requires_grad = requires_grad;
        table = Native.sx_alias(initial.Handle);
        register_parameter(nameof(weight), new Parameter(Native.sx_alias(table)));
        GC.KeepAlive(initial);
    }

    public override unsafe Tensor forward(Tensor input)
    {
        if (maxNorm is { } limit)
            Check(Native.sx_embedding_renorm_(table, input.Handle, limit, normType));
        var result = Tensor.Wrap(Native.sx_embedding(table, input.Handle, paddingIndex, scaleByFrequency ? 1 : 0, sparse ? 1 : 0), input);
        GC.KeepAlive(this);
        return result;
    }

    public Parameter? weight
    {
        get => new(Native.sx_alias(table));
        [param: System.Diagnostics.CodeAnalysis.DisallowNull]
        set
        {
            var old = table;
            table = Native.sx_alias(value!.Handle);
            Native.sx_free_tensor(old);
            ConditionallyRegisterParameter(nameof(weight), value);
        }
    }

    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        using (var current = new Parameter(Native.sx_alias(table)))
        using (no_grad())
        {
            if (current.WillCopy(dtype ?? current.dtype, device ?? current.device))
            {
                using var moved = current.to(TypeFor(dtype, current), device ?? current.device);
                current.SetData(moved);
            }
        }
        base._toEpilog(dtype, device, non_blocking);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (table != 0)
            Native.sx_free_tensor(table);
        table = 0;
    }
}

public interface IParameterLessModule
{
}

/// <summary>A layer without parameters, which .to() passes by.</summary>
public abstract class ParameterLessModule<T1, TResult> : nn.Module<T1, TResult>, IParameterLessModule
{
    protected ParameterLessModule(string name) : base(name)
    {
    }

    protected internal override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => this;

    protected internal override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => this;

    protected internal override nn.Module _to(ScalarType dtype, bool non_blocking) => this;

    public override void register_buffer(string name, Tensor tensor, bool persistent = true) =>
        throw new InvalidOperationException("Cannot register a buffer on a module that is declared 'parameter-less.'");

    public override void register_parameter(string name, Parameter param) =>
        throw new InvalidOperationException("Cannot register a parameter on a module that is declared 'parameter-less.'");

    public override void register_module(string name, nn.Module submodule)
    {
        if (submodule is not IParameterLessModule)
            throw new InvalidOperationException("Submodules of a parameter-less module must also be parameter-less.");
        base.register_module(name, submodule);
    }
}

public sealed class SiLU : ParameterLessModule<Tensor, Tensor>
{
    internal SiLU(bool inplace) : base(nameof(SiLU)) => this.inplace = inplace;

    public bool inplace { get; set; }

    public override Tensor forward(Tensor tensor) => nn.functional.silu(tensor, inplace);
}

public sealed class GELU : ParameterLessModule<Tensor, Tensor>
{
    public enum Approximate
    {
        none,
        tanh,
    }

    internal GELU(bool inplace, Approximate approximate = Approximate.none) : base(nameof(GELU)) => (this.inplace, this.approximate) = (inplace, approximate);

    public bool inplace { get; set; }

    public Approximate approximate { get; set; }

    public override Tensor forward(Tensor tensor) => nn.functional.gelu(tensor, approximate, inplace);
}

public sealed class ReLU : ParameterLessModule<Tensor, Tensor>
{
    internal ReLU(bool inplace) : base(nameof(ReLU)) => this.inplace = inplace;

    public bool inplace { get; set; }

    public override Tensor forward(Tensor tensor) => nn.functional.relu(tensor, inplace);
}

public sealed class Sigmoid : ParameterLessModule<Tensor, Tensor>
{
    internal Sigmoid(bool inplace) : base(nameof(Sigmoid)) => this.inplace = inplace;

    public bool inplace { get; set; }

    public override Tensor forward(Tensor tensor) => nn.functional.sigmoid(tensor, inplace);
}

public sealed class Dropout : ParameterLessModule<Tensor, Tensor>
{
    internal Dropout(double p, bool inplace) : base(nameof(Dropout)) => (this.p, this.inplace) = (p, inplace);

    public bool inplace { get; set; }

    public double p { get; set; }

    public override Tensor forward(Tensor tensor) => nn.functional.dropout(tensor, p, training, inplace);
}

public sealed class Identity : ParameterLessModule<Tensor, Tensor>
{
    internal Identity() : base(nameof(Identity))
    {
    }

    public override Tensor forward(Tensor tensor) => tensor.alias();
}
