#pragma warning disable IDE0051, CA1823, CA1801, IDE0060 // Nothing here is called: that it compiles is the test.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Sdxl.Polyfills.TorchSharp.Tests;

/// <summary>
/// Every member of TorchSharp that product code uses, called with all its parameters by name and once more with those that have no default.
/// The same text compiles against the polyfill and against the real 0.107.0: -p:UsePolyfills=false. Gathered from the member references of the
/// compiled rooms (diffusion, gpu-worker); a member that the product newly uses is added here together with the polyfill's.
/// </summary>
internal static class Signatures
{
    // ---- TorchSharp.Parameter
    private static Parameter NewParameter(Tensor data, bool requires_grad) => new Parameter(data: data, requires_grad: requires_grad);
    private static Parameter NewParameter_short(Tensor data) => new Parameter(data: data);

    // ---- Scalar
    private static Scalar Implicit(int value) => value;
    private static Scalar Implicit(long value) => value;
    private static Scalar Implicit(double value) => value;

    // ---- TorchSharp.TensorExtensionMethods
    private static float ToSingle(Tensor value) => value.ToSingle();
    private static double ToDouble(Tensor value) => value.ToDouble();
    private static bool ToBoolean(Tensor value) => value.ToBoolean();

    // ---- TorchSharp.torch
    private static IDisposable no_grad() => torch.no_grad();
    private static void set_num_threads(int num) => torch.set_num_threads(num: num);
    private static DisposeScope NewDisposeScope() => torch.NewDisposeScope();
    private static Tensor arange(Scalar stop, ScalarType? dtype, Device? device, bool requires_grad) => torch.arange(stop: stop, dtype: dtype, device: device, requires_grad: requires_grad);
    private static Tensor arange_short(Scalar stop) => torch.arange(stop: stop);
    private static Tensor zeros_like(Tensor input, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.zeros_like(input: input, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor zeros_like_short(Tensor input) => torch.zeros_like(input: input);
    private static Tensor ones_like(Tensor input, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.ones_like(input: input, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor ones_like_short(Tensor input) => torch.ones_like(input: input);
    private static Tensor full_like(Tensor input, Scalar value, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.full_like(input: input, value: value, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor full_like_short(Tensor input, Scalar value) => torch.full_like(input: input, value: value);
    private static Tensor zeros(long[] size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.zeros(size: size, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor zeros_short(long[] size) => torch.zeros(size: size);
    private static Tensor zeros(ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.zeros(size: size, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor zeros_short(ReadOnlySpan<long> size) => torch.zeros(size: size);
    private static Tensor zeros(long size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.zeros(size: size, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor zeros_short(long size) => torch.zeros(size: size);
    private static Tensor zeros(long rows, long columns, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.zeros(rows: rows, columns: columns, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor zeros_short(long rows, long columns) => torch.zeros(rows: rows, columns: columns);
    private static Tensor empty(long[] size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.empty(size: size, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor empty_short(long[] size) => torch.empty(size: size);
    private static Tensor empty(ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.empty(size: size, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor empty_short(ReadOnlySpan<long> size) => torch.empty(size: size);
    private static Tensor empty(long size, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.empty(size: size, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor empty_short(long size) => torch.empty(size: size);
    private static Tensor full(ReadOnlySpan<long> size, Scalar value, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.full(size: size, value: value, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor full_short(ReadOnlySpan<long> size, Scalar value) => torch.full(size: size, value: value);
    private static Tensor tensor(byte[] rawArray, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.tensor(rawArray: rawArray, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor tensor_short(byte[] rawArray) => torch.tensor(rawArray: rawArray);
    private static Tensor tensor(long[] dataArray, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.tensor(dataArray: dataArray, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor tensor_short(long[] dataArray) => torch.tensor(dataArray: dataArray);
    private static Tensor tensor(long[] dataArray, ReadOnlySpan<long> dimensions, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.tensor(dataArray: dataArray, dimensions: dimensions, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor tensor_short(long[] dataArray, ReadOnlySpan<long> dimensions) => torch.tensor(dataArray: dataArray, dimensions: dimensions);
    private static Tensor tensor(float[] rawArray, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.tensor(rawArray: rawArray, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor tensor_short(float[] rawArray) => torch.tensor(rawArray: rawArray);
    private static Tensor tensor(float[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.tensor(rawArray: rawArray, dimensions: dimensions, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor tensor_short(float[] rawArray, ReadOnlySpan<long> dimensions) => torch.tensor(rawArray: rawArray, dimensions: dimensions);
    private static Tensor tensor(double[] rawArray, ScalarType? dtype, Device? device, bool requires_grad, string[]? names) => torch.tensor(rawArray: rawArray, dtype: dtype, device: device, requires_grad: requires_grad, names: names);
    private static Tensor tensor_short(double[] rawArray) => torch.tensor(rawArray: rawArray);
    private static Tensor dot(Tensor input, Tensor other) => torch.dot(input: input, other: other);
    private static Tensor cat(IList<Tensor> tensors, long dim) => torch.cat(tensors: tensors, dim: dim);
    private static Tensor cat_short(IList<Tensor> tensors) => torch.cat(tensors: tensors);
    private static Tensor cat(Tensor[] tensors, long dim) => torch.cat(tensors: tensors, dim: dim);
    private static Tensor cat_short(Tensor[] tensors) => torch.cat(tensors: tensors);
    private static Tensor cat(ReadOnlySpan<Tensor> tensors, long dim) => torch.cat(tensors: tensors, dim: dim);
    private static Tensor cat_short(ReadOnlySpan<Tensor> tensors) => torch.cat(tensors: tensors);
    private static Tensor stack(IEnumerable<Tensor> tensors, long dim) => torch.stack(tensors: tensors, dim: dim);
    private static Tensor stack_short(IEnumerable<Tensor> tensors) => torch.stack(tensors: tensors);
    private static Tensor where(Tensor condition, Tensor x, Tensor y) => torch.where(condition: condition, x: x, y: y);

    // ---- TorchSharp.torch.Device
    private static DeviceType get_type(Device self) => self.type;
    private static Device NewDevice(DeviceType deviceType, int index) => new Device(deviceType: deviceType, index: index);
    private static Device NewDevice_short(DeviceType deviceType) => new Device(deviceType: deviceType);

    // ---- TorchSharp.torch.Tensor
    private static void Dispose(Tensor self) => self.Dispose();
    private static Tensor MoveToOuterDisposeScope(Tensor self) => self.MoveToOuterDisposeScope();
    private static Tensor DetachFromDisposeScope(Tensor self) => self.DetachFromDisposeScope();
    private static long dim(Tensor self) => self.dim();
    private static long get_NumberOfElements(Tensor self) => self.NumberOfElements;
    private static long get_ElementSize(Tensor self) => self.ElementSize;
    private static ScalarType get_dtype(Tensor self) => self.dtype;
    private static DeviceType get_device_type(Tensor self) => self.device_type;
    private static Device get_device(Tensor self) => self.device;
    private static bool is_contiguous(Tensor self) => self.is_contiguous();
    private static long[] get_shape(Tensor self) => self.shape;
    private static void set_requires_grad(Tensor self, bool value) => self.requires_grad = value;
    private static void set_grad(Tensor self, Tensor? value) => self.grad = value;
    private static void backward(Tensor self) => self.backward();
    private static global::TorchSharp.Utils.TensorAccessor<T> data<T>(Tensor self) where T : unmanaged => self.data<T>();
    private static Span<byte> get_bytes(Tensor self) => self.bytes;
    private static void WriteBytesToStream(Tensor self, Stream stream, int bufferSize) => self.WriteBytesToStream(stream: stream, bufferSize: bufferSize);
    private static void WriteBytesToStream_short(Tensor self, Stream stream) => self.WriteBytesToStream(stream: stream);
    private static void ReadBytesFromStream(Tensor self, Stream stream, int bufferSize) => self.ReadBytesFromStream(stream: stream, bufferSize: bufferSize);
    private static void ReadBytesFromStream_short(Tensor self, Stream stream) => self.ReadBytesFromStream(stream: stream);
    private static Tensor alias(Tensor self) => self.alias();
    private static Tensor contiguous(Tensor self) => self.contiguous();
    private static Tensor detach(Tensor self) => self.detach();
    private static Tensor copy_(Tensor self, Tensor source, bool nonBlocking) => self.copy_(source: source, nonBlocking: nonBlocking);
    private static Tensor copy__short(Tensor self, Tensor source) => self.copy_(source: source);
    private static Tensor set_(Tensor self, Tensor source) => self.set_(source: source);
    private static Tensor cpu(Tensor self) => self.cpu();
    private static Tensor to_type(Tensor self, ScalarType type, bool copy, bool disposeAfter, bool non_blocking) => self.to_type(type: type, copy: copy, disposeAfter: disposeAfter, non_blocking: non_blocking);
    private static Tensor to_type_short(Tensor self, ScalarType type) => self.to_type(type: type);
    private static Tensor to(Tensor self, ScalarType type, Device device, bool copy, bool disposeAfter, bool non_blocking) => self.to(type: type, device: device, copy: copy, disposeAfter: disposeAfter, non_blocking: non_blocking);
    private static Tensor to_short(Tensor self, ScalarType type, Device device) => self.to(type: type, device: device);
    private static Tensor to(Tensor self, Device device, bool copy, bool disposeAfter, bool non_blocking) => self.to(device: device, copy: copy, disposeAfter: disposeAfter, non_blocking: non_blocking);
    private static Tensor to_short(Tensor self, Device device) => self.to(device: device);
    private static Tensor add_(Tensor self, Tensor target) => self.add_(target: target);
    private static Tensor add_(Tensor self, Tensor target, Scalar alpha) => self.add_(target: target, alpha: alpha);
    private static Tensor add_(Tensor self, Scalar scalar) => self.add_(scalar: scalar);
    private static Tensor sub(Tensor self, Scalar target) => self.sub(target: target);
    private static Tensor sub_(Tensor self, Tensor target) => self.sub_(target: target);
    private static Tensor mul(Tensor self, Tensor target) => self.mul(target: target);
    private static Tensor mul(Tensor self, Scalar target) => self.mul(target: target);
    private static Tensor mul_(Tensor self, Tensor target) => self.mul_(target: target);
    private static Tensor mul_(Tensor self, Scalar target) => self.mul_(target: target);
    private static Tensor div(Tensor self, Tensor target, RoundingMode rounding_mode) => self.div(target: target, rounding_mode: rounding_mode);
    private static Tensor div_short(Tensor self, Tensor target) => self.div(target: target);
    private static Tensor div(Tensor self, Scalar target, RoundingMode rounding_mode) => self.div(target: target, rounding_mode: rounding_mode);
    private static Tensor div_short(Tensor self, Scalar target) => self.div(target: target);
    private static Tensor div_(Tensor self, Tensor target, RoundingMode rounding_mode) => self.div_(target: target, rounding_mode: rounding_mode);
    private static Tensor div__short(Tensor self, Tensor target) => self.div_(target: target);
    private static Tensor div_(Tensor self, Scalar target, RoundingMode rounding_mode) => self.div_(target: target, rounding_mode: rounding_mode);
    private static Tensor div__short(Tensor self, Scalar target) => self.div_(target: target);
    private static Tensor pow(Tensor self, Scalar exponent) => self.pow(exponent: exponent);
    private static Tensor square(Tensor self) => self.square();
    private static Tensor addcmul_(Tensor self, Tensor tensor1, Tensor tensor2, Scalar value) => self.addcmul_(tensor1: tensor1, tensor2: tensor2, value: value);
    private static Tensor addcdiv_(Tensor self, Tensor tensor1, Tensor tensor2, Scalar value) => self.addcdiv_(tensor1: tensor1, tensor2: tensor2, value: value);
    private static Tensor abs(Tensor self) => self.abs();
    private static Tensor round(Tensor self, long decimals) => self.round(decimals: decimals);
    private static Tensor round_short(Tensor self) => self.round();
    private static Tensor exp(Tensor self) => self.exp();
    private static Tensor sqrt(Tensor self) => self.sqrt();
    private static Tensor rsqrt(Tensor self) => self.rsqrt();
    private static Tensor rsqrt_(Tensor self) => self.rsqrt_();
    private static Tensor sign_(Tensor self) => self.sign_();
    private static Tensor sin(Tensor self) => self.sin();
    private static Tensor cos(Tensor self) => self.cos();
    private static Tensor sigmoid(Tensor self) => self.sigmoid();
    private static Tensor clamp(Tensor self, Scalar? min, Scalar? max) => self.clamp(min: min, max: max);
    private static Tensor clamp_(Tensor self, Scalar? min, Scalar? max) => self.clamp_(min: min, max: max);
    private static Tensor clamp_max(Tensor self, Scalar max) => self.clamp_max(max: max);
    private static Tensor clamp_min(Tensor self, Scalar min) => self.clamp_min(min: min);
    private static Tensor eq(Tensor self, Scalar target) => self.eq(target: target);
    private static Tensor ge(Tensor self, Scalar target) => self.ge(target: target);
    private static Tensor isfinite(Tensor self) => self.isfinite();
    private static Tensor matmul(Tensor self, Tensor target) => self.matmul(target: target);
    private static Tensor addmm(Tensor self, Tensor mat1, Tensor mat2, float beta, float alpha) => self.addmm(mat1: mat1, mat2: mat2, beta: beta, alpha: alpha);
    private static Tensor addmm_short(Tensor self, Tensor mat1, Tensor mat2) => self.addmm(mat1: mat1, mat2: mat2);
    private static Tensor sum(Tensor self, ScalarType? type) => self.sum(type: type);
    private static Tensor sum_short(Tensor self) => self.sum();
    private static Tensor sum(Tensor self, long dim, bool keepdim, ScalarType? type) => self.sum(dim: dim, keepdim: keepdim, type: type);
    private static Tensor sum_short(Tensor self, long dim) => self.sum(dim: dim);
    private static Tensor mean(Tensor self) => self.mean();
    private static Tensor mean(Tensor self, long[] dimensions, bool keepdim, ScalarType? type) => self.mean(dimensions: dimensions, keepdim: keepdim, type: type);
    private static Tensor mean_short(Tensor self, long[] dimensions) => self.mean(dimensions: dimensions);
    private static Tensor std(Tensor self, bool unbiased) => self.std(unbiased: unbiased);
    private static Tensor std_short(Tensor self) => self.std();
    private static Tensor std(Tensor self, ReadOnlySpan<long> dimensions, bool unbiased, bool keepdim, ScalarType? type) => self.std(dimensions: dimensions, unbiased: unbiased, keepdim: keepdim, type: type);
    private static Tensor std_short(Tensor self, ReadOnlySpan<long> dimensions) => self.std(dimensions: dimensions);
    private static Tensor std(Tensor self, long dim, bool unbiased, bool keepdim, ScalarType? type) => self.std(dim: dim, unbiased: unbiased, keepdim: keepdim, type: type);
    private static Tensor std_short(Tensor self, long dim) => self.std(dim: dim);
    private static Tensor max(Tensor self) => self.max();
    private static Tensor amin(Tensor self, long[] dims) => self.amin(dims: dims);
    private static Tensor norm(Tensor self, float p) => self.norm(p: p);
    private static Tensor norm_short(Tensor self) => self.norm();
    private static Tensor norm(Tensor self, int dim, bool keepdim, float p) => self.norm(dim: dim, keepdim: keepdim, p: p);
    private static Tensor norm_short(Tensor self, int dim) => self.norm(dim: dim);
    private static Tensor all(Tensor self) => self.all();
    private static Tensor zero_(Tensor self) => self.zero_();
    private static Tensor Addition(Tensor left, Tensor right) => left + right;
    private static Tensor Addition(Tensor left, int right) => left + right;
    private static Tensor Addition(Tensor left, double right) => left + right;
    private static Tensor Multiply(Tensor left, Tensor right) => left * right;
    private static Tensor Multiply(Tensor left, int right) => left * right;
    private static Tensor Multiply(Tensor left, double right) => left * right;
    private static Tensor Subtraction(Tensor left, Tensor right) => left - right;
    private static Tensor Subtraction(Tensor left, int right) => left - right;
    private static Tensor Subtraction(Tensor left, long right) => left - right;
    private static Tensor Subtraction(int left, Tensor right) => left - right;
    private static Tensor Division(Tensor left, Tensor right) => left / right;
    private static Tensor Division(Tensor left, int right) => left / right;
    private static Tensor Division(Tensor left, double right) => left / right;
    private static Tensor Division(double left, Tensor right) => left / right;
    private static Tensor view(Tensor self, long[] shape) => self.view(shape: shape);
    private static Tensor reshape(Tensor self, long[] shape) => self.reshape(shape: shape);
    private static Tensor flatten(Tensor self, long start_dim, long end_dim) => self.flatten(start_dim: start_dim, end_dim: end_dim);
    private static Tensor flatten_short(Tensor self) => self.flatten();
    private static Tensor permute(Tensor self, long[] permutation) => self.permute(permutation: permutation);
    private static Tensor transpose(Tensor self, long dim0, long dim1) => self.transpose(dim0: dim0, dim1: dim1);
    private static Tensor t(Tensor self) => self.t();
    private static Tensor unsqueeze(Tensor self, long dim) => self.unsqueeze(dim: dim);
    private static Tensor squeeze(Tensor self, long? dim) => self.squeeze(dim: dim);
    private static Tensor squeeze_short(Tensor self) => self.squeeze();
    private static Tensor expand(Tensor self, long[] sizes) => self.expand(sizes: sizes);
    private static Tensor[] chunk(Tensor self, long chunks, long dim) => self.chunk(chunks: chunks, dim: dim);
    private static Tensor[] chunk_short(Tensor self, long chunks) => self.chunk(chunks: chunks);
    private static Tensor select(Tensor self, long dim, long index) => self.select(dim: dim, index: index);
    private static Tensor narrow(Tensor self, long dim, long start, long length) => self.narrow(dim: dim, start: start, length: length);
    private static Tensor index_select(Tensor self, long dim, Tensor index) => self.index_select(dim: dim, index: index);
    private static Tensor gather(Tensor self, long dim, Tensor index) => self.gather(dim: dim, index: index);
    private static Tensor GetItem(Tensor self, long i0) => self[i0];

    // ---- TorchSharp.torch.cuda
    private static bool is_available() => torch.cuda.is_available();

    // ---- TorchSharp.torch.nn
    private static ModuleList<T> ModuleList<T>(T[] modules) where T : nn.Module => torch.nn.ModuleList<T>(modules: modules);

    // ---- TorchSharp.torch.nn.Module
    private static void Dispose(nn.Module self) => self.Dispose();
    private static void eval(nn.Module self) => self.eval();
    private static IEnumerable<(string, nn.Module)> named_modules(nn.Module self) => self.named_modules();
    private static IEnumerable<(string, Parameter)> named_parameters(nn.Module self, bool recurse) => self.named_parameters(recurse: recurse);
    private static IEnumerable<(string, Parameter)> named_parameters_short(nn.Module self) => self.named_parameters();
    private static string GetName(nn.Module self) => self.GetName();

    // ---- TorchSharp.torch.nn.functional
    private static Tensor linear(Tensor input, Tensor weights, Tensor? bias) => torch.nn.functional.linear(input: input, weights: weights, bias: bias);
    private static Tensor linear_short(Tensor input, Tensor weights) => torch.nn.functional.linear(input: input, weights: weights);
    private static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias, long[]? strides, long[]? padding, long[]? dilation, long groups) => torch.nn.functional.conv2d(input: input, weight: weight, bias: bias, strides: strides, padding: padding, dilation: dilation, groups: groups);
    private static Tensor conv2d_short(Tensor input, Tensor weight) => torch.nn.functional.conv2d(input: input, weight: weight);
    private static Tensor group_norm(Tensor input, long num_groups, Tensor? weight, Tensor? bias, double eps) => torch.nn.functional.group_norm(input: input, num_groups: num_groups, weight: weight, bias: bias, eps: eps);
    private static Tensor group_norm_short(Tensor input, long num_groups) => torch.nn.functional.group_norm(input: input, num_groups: num_groups);
    private static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight, Tensor? bias, double eps) => torch.nn.functional.layer_norm(input: input, normalized_shape: normalized_shape, weight: weight, bias: bias, eps: eps);
    private static Tensor layer_norm_short(Tensor input, long[] normalized_shape) => torch.nn.functional.layer_norm(input: input, normalized_shape: normalized_shape);
    private static Tensor silu(Tensor x, bool inplace) => torch.nn.functional.silu(x: x, inplace: inplace);
    private static Tensor silu_short(Tensor x) => torch.nn.functional.silu(x: x);
    private static Tensor gelu(Tensor x) => torch.nn.functional.gelu(x: x);
    private static Tensor normalize(Tensor input, double p, long dim, double eps) => torch.nn.functional.normalize(input: input, p: p, dim: dim, eps: eps);
    private static Tensor normalize_short(Tensor input) => torch.nn.functional.normalize(input: input);
    private static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask, double p, bool is_casual) => torch.nn.functional.scaled_dot_product_attention(query: query, key: key, value: value, attn_mask: attn_mask, p: p, is_casual: is_casual);
    private static Tensor scaled_dot_product_attention_short(Tensor query, Tensor key, Tensor value) => torch.nn.functional.scaled_dot_product_attention(query: query, key: key, value: value);
    private static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode, double value) => torch.nn.functional.pad(input: input, pad: pad, mode: mode, value: value);
    private static Tensor pad_short(Tensor input, (long, long, long, long) pad) => torch.nn.functional.pad(input: input, pad: pad);
    private static Tensor interpolate(Tensor x, long[]? size, double[]? scale_factor, InterpolationMode mode, bool? align_corners, bool recompute_scale_factor, bool antialias) => torch.nn.functional.interpolate(x: x, size: size, scale_factor: scale_factor, mode: mode, align_corners: align_corners, recompute_scale_factor: recompute_scale_factor, antialias: antialias);
    private static Tensor interpolate_short(Tensor x) => torch.nn.functional.interpolate(x: x);

    // ---- generic types and what a derived module sees
    private static T Item<T>(ModuleList<T> self, int index) where T : nn.Module => self[index];
    private static int Count<T>(ModuleList<T> self) where T : nn.Module => self.Count;
    private static IEnumerator<T> GetEnumerator<T>(ModuleList<T> self) where T : nn.Module => self.GetEnumerator();
    private static T[] ToArray<T>(global::TorchSharp.Utils.TensorAccessor<T> self) where T : unmanaged => self.ToArray();

    private sealed class One : nn.Module<Tensor, Tensor>
    {
        public One(string name) : base(name) => RegisterComponents();

        public override Tensor forward(Tensor input) => call(input);
    }

    private sealed class Two : nn.Module<Tensor, (long, long)?, Tensor>
    {
        public Two(string name) : base(name: name) => RegisterComponents();

        public override Tensor forward(Tensor input1, (long, long)? input2) => call(input1, input2);

        protected override void Dispose(bool disposing) => base.Dispose(disposing: disposing);
    }

    private sealed class Five : nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>
    {
        public Five(string name) : base(name) => RegisterComponents();

        public override Tensor forward(Tensor input1, Tensor input2, Tensor input3, Tensor input4, Tensor input5) => call(input1, input2, input3, input4, input5);
    }
}
