using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace TorchSharp;

/// <summary>A number on its way to native code: kind 0 absent, 1 floating point, 2 integer, 3 boolean.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct NativeScalar
{
    private readonly long bits;
    private readonly long kind;

    private NativeScalar(long bits, long kind) => (this.bits, this.kind) = (bits, kind);

    public static NativeScalar Of(double value) => new(BitConverter.DoubleToInt64Bits(value), 1);

    public static NativeScalar Of(long value) => new(value, 2);

    public static NativeScalar Of(bool value) => new(value ? 1 : 0, 3);

    public bool IsReal => kind == 1;

    public bool IsBoolean => kind == 3;

    public double AsDouble => IsReal ? BitConverter.Int64BitsToDouble(bits) : bits;

    public long AsInt64 => IsReal ? (long)BitConverter.Int64BitsToDouble(bits) : bits;
}

/// <summary>One part of an index expression, laid out as native/tensor.cpp reads it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IndexPart
{
    public long Kind, Has, Start, Stop, Step;
    public nint Tensor;
}

/// <summary>What a managed forward gives back; native code frees the arrays (malloc), the handles stay ours. Laid out as in native/function.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ForwardResult
{
    public nint* Outputs, Saved, Dirty, Constant;
    public int OutputCount, SavedCount, DirtyCount, ConstantCount, Materialize;
}

/// <summary>The managed side of a differentiable function. Laid out as in native/function.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FunctionCallbacks
{
    public delegate* unmanaged<nint, ForwardResult*, int> Forward;
    public delegate* unmanaged<nint, nint*, int, nint*, int, nint*, int> Backward;
    public delegate* unmanaged<nint, void> Release;
}

/// <summary>The C functions of libsdxltorch.so (native/*.cpp): all blittable, so a call costs no marshalling.</summary>
internal static unsafe class Native
{
    private const string Library = "sdxltorch";

    // Life, properties, factories, views, indexing, joining (native/tensor.cpp)
    [DllImport(Library)] internal static extern nint sx_last_error();
    [DllImport(Library)] internal static extern nint sx_version();
    [DllImport(Library)] internal static extern void sx_free_tensor(nint t);
    [DllImport(Library)] internal static extern void sx_free_array(nint array);
    [DllImport(Library)] internal static extern long sx_ndim(nint t);
    [DllImport(Library)] internal static extern long sx_numel(nint t);
    [DllImport(Library)] internal static extern long sx_element_size(nint t);
    [DllImport(Library)] internal static extern sbyte sx_dtype(nint t);
    [DllImport(Library)] internal static extern int sx_device_type(nint t);
    [DllImport(Library)] internal static extern int sx_device_index(nint t);
    [DllImport(Library)] internal static extern int sx_requires_grad(nint t);
    [DllImport(Library)] internal static extern int sx_is_leaf(nint t);
    [DllImport(Library)] internal static extern int sx_is_contiguous(nint t);
    [DllImport(Library)] internal static extern int sx_is_pinned(nint t);
    [DllImport(Library)] internal static extern long sx_storage_offset(nint t);
    [DllImport(Library)] internal static extern void sx_sizes(nint t, long* @out);
    [DllImport(Library)] internal static extern void sx_strides(nint t, long* @out);
    [DllImport(Library)] internal static extern int sx_size(nint t, long dim, long* @out);
    [DllImport(Library)] internal static extern int sx_stride(nint t, long dim, long* @out);
    [DllImport(Library)] internal static extern nint sx_data(nint t);
    [DllImport(Library)] internal static extern int sx_item(nint t, NativeScalar* @out);
    [DllImport(Library)] internal static extern int sx_equal(nint a, nint b, int* @out);
    [DllImport(Library)] internal static extern int sx_allclose(nint a, nint b, double rtol, double atol, int equal_nan, int* @out);
    [DllImport(Library)] internal static extern int sx_is_nonzero(nint t, int* @out);
    [DllImport(Library)] internal static extern nint sx_alias(nint t);
    [DllImport(Library)] internal static extern nint sx_clone(nint t);
    [DllImport(Library)] internal static extern nint sx_contiguous(nint t);
    [DllImport(Library)] internal static extern nint sx_pin_memory(nint t);
    [DllImport(Library)] internal static extern nint sx_detach(nint t);
    [DllImport(Library)] internal static extern int sx_detach_(nint t);
    [DllImport(Library)] internal static extern nint sx_to_type(nint t, sbyte type, int copy, int non_blocking);
    [DllImport(Library)] internal static extern nint sx_to_device(nint t, int kind, int index, int copy, int non_blocking);
    [DllImport(Library)] internal static extern nint sx_to_device_type(nint t, sbyte type, int kind, int index, int copy, int non_blocking);
    [DllImport(Library)] internal static extern int sx_copy_(nint t, nint source, int non_blocking);
    [DllImport(Library)] internal static extern int sx_set_data(nint t, nint data);
    [DllImport(Library)] internal static extern int sx_set_(nint t, nint source);
    [DllImport(Library)] internal static extern nint sx_empty(long* data, int n, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_zeros(long* data, int n, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_ones(long* data, int n, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_full(long* data, int n, NativeScalar value, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_eye(long rows, long columns, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_arange(NativeScalar start, NativeScalar stop, NativeScalar step, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_linspace(double start, double end, long steps, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_logspace(double start, double end, long steps, double @base, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_rand(nint g, long* data, int n, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_randn(nint g, long* data, int n, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_randint(nint g, long low, long high, long* data, int n, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_randperm(nint g, long count, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_empty_like(nint t, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_zeros_like(nint t, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_ones_like(nint t, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_full_like(nint t, NativeScalar value, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_rand_like(nint t, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_randn_like(nint t, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_randint_like(nint t, long low, long high, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern nint sx_from_memory(nint memory, delegate* unmanaged<nint, void> release, nint context, long* data, int n, sbyte given, sbyte type, int kind, int index, int requires_grad);
    [DllImport(Library)] internal static extern int sx_normal_(nint t, double mean, double std, nint g);
    [DllImport(Library)] internal static extern int sx_uniform_(nint t, double low, double high, nint g);
    [DllImport(Library)] internal static extern int sx_random_(nint t, long low, long high, nint g);
    [DllImport(Library)] internal static extern int sx_bernoulli_(nint t, double p, nint g);
    [DllImport(Library)] internal static extern nint sx_bernoulli(nint t, nint g);
    [DllImport(Library)] internal static extern nint sx_multinomial(nint t, long samples, int replacement, nint g);
    [DllImport(Library)] internal static extern nint sx_view(nint t, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_reshape(nint t, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_permute(nint t, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_expand(nint t, long* data, int n, int @implicit);
    [DllImport(Library)] internal static extern nint sx_broadcast_to(nint t, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_repeat(nint t, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_tile(nint t, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_flip(nint t, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_roll(nint t, long* data, int n, long* dims, int m);
    [DllImport(Library)] internal static extern nint sx_as_strided(nint t, long* data, int n, long* strides, int m, long offset);
    [DllImport(Library)] internal static extern nint sx_unflatten(nint t, long dim, long* data, int n);
    [DllImport(Library)] internal static extern nint sx_movedim(nint t, long* data, int n, long* to, int m);
    [DllImport(Library)] internal static extern nint sx_flatten(nint t, long first, long last);
    [DllImport(Library)] internal static extern nint sx_transpose(nint t, long a, long b);
    [DllImport(Library)] internal static extern int sx_transpose_(nint t, long a, long b);
    [DllImport(Library)] internal static extern nint sx_t(nint t);
    [DllImport(Library)] internal static extern nint sx_unsqueeze(nint t, long dim);
    [DllImport(Library)] internal static extern int sx_unsqueeze_(nint t, long dim);
    [DllImport(Library)] internal static extern nint sx_squeeze(nint t);
    [DllImport(Library)] internal static extern nint sx_squeeze_dim(nint t, long dim);
    [DllImport(Library)] internal static extern int sx_squeeze_(nint t);
    [DllImport(Library)] internal static extern int sx_squeeze__dim(nint t, long dim);
    [DllImport(Library)] internal static extern nint sx_select(nint t, long dim, long i);
    [DllImport(Library)] internal static extern nint sx_narrow(nint t, long dim, long start, long length);
    [DllImport(Library)] internal static extern nint sx_slice(nint t, long dim, long start, long end, long step);
    [DllImport(Library)] internal static extern nint sx_tril(nint t, long diagonal);
    [DllImport(Library)] internal static extern nint sx_triu(nint t, long diagonal);
    [DllImport(Library)] internal static extern int sx_tril_(nint t, long diagonal);
    [DllImport(Library)] internal static extern int sx_triu_(nint t, long diagonal);
    [DllImport(Library)] internal static extern nint sx_diag(nint t, long diagonal);
    [DllImport(Library)] internal static extern nint sx_repeat_interleave(nint t, long repeats, long* dim, long* size);
    [DllImport(Library)] internal static extern nint sx_repeat_interleave_tensor(nint t, nint repeats, long* dim, long* size);
    [DllImport(Library)] internal static extern nint sx_index_select(nint t, long dim, nint index);
    [DllImport(Library)] internal static extern nint sx_gather(nint t, long dim, nint index);
    [DllImport(Library)] internal static extern nint sx_take_along_dim(nint t, nint index, long dim);
    [DllImport(Library)] internal static extern nint sx_scatter(nint t, long dim, nint index, nint source);
    [DllImport(Library)] internal static extern int sx_scatter_(nint t, long dim, nint index, nint source);
    [DllImport(Library)] internal static extern nint sx_scatter_add(nint t, long dim, nint index, nint source);
    [DllImport(Library)] internal static extern int sx_scatter_add_(nint t, long dim, nint index, nint source);
    [DllImport(Library)] internal static extern nint sx_index_add(nint t, long dim, nint index, nint source, NativeScalar alpha);
    [DllImport(Library)] internal static extern int sx_index_add_(nint t, long dim, nint index, nint source, NativeScalar alpha);
    [DllImport(Library)] internal static extern nint sx_index_copy(nint t, long dim, nint index, nint source);
    [DllImport(Library)] internal static extern int sx_index_copy_(nint t, long dim, nint index, nint source);
    [DllImport(Library)] internal static extern nint sx_index_fill(nint t, long dim, nint index, NativeScalar value);
    [DllImport(Library)] internal static extern int sx_index_fill_(nint t, long dim, nint index, NativeScalar value);
    [DllImport(Library)] internal static extern nint sx_masked_fill(nint t, nint mask, NativeScalar value);
    [DllImport(Library)] internal static extern int sx_masked_fill_(nint t, nint mask, NativeScalar value);
    [DllImport(Library)] internal static extern nint sx_masked_select(nint t, nint mask);
    [DllImport(Library)] internal static extern nint sx_masked_scatter(nint t, nint mask, nint source);
    [DllImport(Library)] internal static extern int sx_masked_scatter_(nint t, nint mask, nint source);
    [DllImport(Library)] internal static extern nint sx_where(nint condition, nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_index(nint t, IndexPart* parts, int count);
    [DllImport(Library)] internal static extern int sx_index_put_(nint t, IndexPart* parts, int count, nint value);
    [DllImport(Library)] internal static extern int sx_index_put_scalar_(nint t, IndexPart* parts, int count, NativeScalar value);
    [DllImport(Library)] internal static extern int sx_index_put_tensors_(nint t, nint* where, int count, nint value, int accumulate);
    [DllImport(Library)] internal static extern nint sx_cat(nint* tensors, int count, long dim);
    [DllImport(Library)] internal static extern nint sx_stack(nint* tensors, int count, long dim);
    [DllImport(Library)] internal static extern nint* sx_chunk(nint t, long chunks, long dim, int* count);
    [DllImport(Library)] internal static extern nint* sx_split(nint t, long size, long dim, int* count);
    [DllImport(Library)] internal static extern nint* sx_split_sizes(nint t, long* data, int n, long dim, int* count);
    [DllImport(Library)] internal static extern nint* sx_unbind(nint t, long dim, int* count);
    [DllImport(Library)] internal static extern nint* sx_meshgrid(nint* tensors, int given, byte* indexing, int* count);

    // Elementwise operations, comparisons, reductions, matrix products (native/math.cpp)
    [DllImport(Library)] internal static extern nint sx_abs(nint a);
    [DllImport(Library)] internal static extern nint sx_ceil(nint a);
    [DllImport(Library)] internal static extern nint sx_floor(nint a);
    [DllImport(Library)] internal static extern nint sx_exp(nint a);
    [DllImport(Library)] internal static extern nint sx_exp2(nint a);
    [DllImport(Library)] internal static extern nint sx_expm1(nint a);
    [DllImport(Library)] internal static extern nint sx_log(nint a);
    [DllImport(Library)] internal static extern nint sx_log2(nint a);
    [DllImport(Library)] internal static extern nint sx_log10(nint a);
    [DllImport(Library)] internal static extern nint sx_log1p(nint a);
    [DllImport(Library)] internal static extern nint sx_sqrt(nint a);
    [DllImport(Library)] internal static extern nint sx_rsqrt(nint a);
    [DllImport(Library)] internal static extern nint sx_sin(nint a);
    [DllImport(Library)] internal static extern nint sx_cos(nint a);
    [DllImport(Library)] internal static extern nint sx_tan(nint a);
    [DllImport(Library)] internal static extern nint sx_asin(nint a);
    [DllImport(Library)] internal static extern nint sx_acos(nint a);
    [DllImport(Library)] internal static extern nint sx_atan(nint a);
    [DllImport(Library)] internal static extern nint sx_sinh(nint a);
    [DllImport(Library)] internal static extern nint sx_cosh(nint a);
    [DllImport(Library)] internal static extern nint sx_tanh(nint a);
    [DllImport(Library)] internal static extern nint sx_sigmoid(nint a);
    [DllImport(Library)] internal static extern nint sx_erf(nint a);
    [DllImport(Library)] internal static extern nint sx_erfc(nint a);
    [DllImport(Library)] internal static extern nint sx_erfinv(nint a);
    [DllImport(Library)] internal static extern nint sx_reciprocal(nint a);
    [DllImport(Library)] internal static extern nint sx_neg(nint a);
    [DllImport(Library)] internal static extern nint sx_sign(nint a);
    [DllImport(Library)] internal static extern nint sx_sgn(nint a);
    [DllImport(Library)] internal static extern nint sx_trunc(nint a);
    [DllImport(Library)] internal static extern nint sx_frac(nint a);
    [DllImport(Library)] internal static extern nint sx_relu(nint a);
    [DllImport(Library)] internal static extern nint sx_isfinite(nint a);
    [DllImport(Library)] internal static extern nint sx_isnan(nint a);
    [DllImport(Library)] internal static extern nint sx_isinf(nint a);
    [DllImport(Library)] internal static extern nint sx_logical_not(nint a);
    [DllImport(Library)] internal static extern nint sx_bitwise_not(nint a);
    [DllImport(Library)] internal static extern nint sx_all(nint a);
    [DllImport(Library)] internal static extern nint sx_any(nint a);
    [DllImport(Library)] internal static extern nint sx_mean(nint a);
    [DllImport(Library)] internal static extern nint sx_max(nint a);
    [DllImport(Library)] internal static extern nint sx_min(nint a);
    [DllImport(Library)] internal static extern nint sx_argmax(nint a);
    [DllImport(Library)] internal static extern nint sx_argmin(nint a);
    [DllImport(Library)] internal static extern nint sx_median(nint a);
    [DllImport(Library)] internal static extern nint sx_nonzero(nint a);
    [DllImport(Library)] internal static extern nint sx_trace(nint a);
    [DllImport(Library)] internal static extern int sx_abs_(nint a);
    [DllImport(Library)] internal static extern int sx_ceil_(nint a);
    [DllImport(Library)] internal static extern int sx_floor_(nint a);
    [DllImport(Library)] internal static extern int sx_exp_(nint a);
    [DllImport(Library)] internal static extern int sx_expm1_(nint a);
    [DllImport(Library)] internal static extern int sx_log_(nint a);
    [DllImport(Library)] internal static extern int sx_log2_(nint a);
    [DllImport(Library)] internal static extern int sx_log10_(nint a);
    [DllImport(Library)] internal static extern int sx_log1p_(nint a);
    [DllImport(Library)] internal static extern int sx_sqrt_(nint a);
    [DllImport(Library)] internal static extern int sx_rsqrt_(nint a);
    [DllImport(Library)] internal static extern int sx_sin_(nint a);
    [DllImport(Library)] internal static extern int sx_cos_(nint a);
    [DllImport(Library)] internal static extern int sx_tan_(nint a);
    [DllImport(Library)] internal static extern int sx_tanh_(nint a);
    [DllImport(Library)] internal static extern int sx_sigmoid_(nint a);
    [DllImport(Library)] internal static extern int sx_erf_(nint a);
    [DllImport(Library)] internal static extern int sx_reciprocal_(nint a);
    [DllImport(Library)] internal static extern int sx_neg_(nint a);
    [DllImport(Library)] internal static extern int sx_sign_(nint a);
    [DllImport(Library)] internal static extern int sx_trunc_(nint a);
    [DllImport(Library)] internal static extern int sx_relu_(nint a);
    [DllImport(Library)] internal static extern int sx_zero_(nint a);
    [DllImport(Library)] internal static extern int sx_logical_not_(nint a);
    [DllImport(Library)] internal static extern nint sx_mul(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_pow(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_atan2(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_fmod(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_remainder(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_floor_divide(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_minimum(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_maximum(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_eq(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_ne(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_lt(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_le(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_gt(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_ge(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_logical_and(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_logical_or(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_logical_xor(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_bitwise_and(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_bitwise_or(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_bitwise_xor(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_matmul(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_mm(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_bmm(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_mv(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_dot(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_outer(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_logaddexp(nint a, nint b);
    [DllImport(Library)] internal static extern int sx_mul_(nint a, nint b);
    [DllImport(Library)] internal static extern int sx_pow_(nint a, nint b);
    [DllImport(Library)] internal static extern int sx_remainder_(nint a, nint b);
    [DllImport(Library)] internal static extern int sx_logical_and_(nint a, nint b);
    [DllImport(Library)] internal static extern int sx_logical_or_(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_add_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_sub_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_mul_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_pow_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_fmod_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_remainder_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_floor_divide_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_eq_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_ne_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_lt_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_le_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_gt_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_ge_scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern int sx_sub__scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern int sx_mul__scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern int sx_pow__scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern int sx_remainder__scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern int sx_fill__scalar(nint a, NativeScalar b);
    [DllImport(Library)] internal static extern nint sx_add(nint a, nint b, NativeScalar alpha);
    [DllImport(Library)] internal static extern nint sx_add_scaled_scalar(nint a, NativeScalar b, NativeScalar alpha);
    [DllImport(Library)] internal static extern int sx_add_(nint a, nint b, NativeScalar alpha);
    [DllImport(Library)] internal static extern int sx_add__scalar(nint a, NativeScalar b, NativeScalar alpha);
    [DllImport(Library)] internal static extern nint sx_sub(nint a, nint b);
    [DllImport(Library)] internal static extern int sx_sub_(nint a, nint b);
    [DllImport(Library)] internal static extern nint sx_div(nint a, nint b, int mode);
    [DllImport(Library)] internal static extern nint sx_div_scalar(nint a, NativeScalar b, int mode);
    [DllImport(Library)] internal static extern int sx_div_(nint a, nint b, int mode);
    [DllImport(Library)] internal static extern int sx_div__scalar(nint a, NativeScalar b, int mode);
    [DllImport(Library)] internal static extern nint sx_round(nint a, long decimals);
    [DllImport(Library)] internal static extern int sx_round_(nint a, long decimals);
    [DllImport(Library)] internal static extern nint sx_addcmul(nint a, nint b, nint c, NativeScalar value);
    [DllImport(Library)] internal static extern int sx_addcmul_(nint a, nint b, nint c, NativeScalar value);
    [DllImport(Library)] internal static extern nint sx_addcdiv(nint a, nint b, nint c, NativeScalar value);
    [DllImport(Library)] internal static extern int sx_addcdiv_(nint a, nint b, nint c, NativeScalar value);
    [DllImport(Library)] internal static extern nint sx_lerp(nint a, nint end, nint weight);
    [DllImport(Library)] internal static extern int sx_lerp_(nint a, nint end, nint weight);
    [DllImport(Library)] internal static extern nint sx_clamp(nint a, NativeScalar low, NativeScalar high);
    [DllImport(Library)] internal static extern int sx_clamp_(nint a, NativeScalar low, NativeScalar high);
    [DllImport(Library)] internal static extern nint sx_clamp_tensor(nint a, nint low, nint high);
    [DllImport(Library)] internal static extern int sx_clamp__tensor(nint a, nint low, nint high);
    [DllImport(Library)] internal static extern nint sx_nan_to_num(nint a, double nan, NativeScalar high, NativeScalar low);
    [DllImport(Library)] internal static extern nint sx_addmm(nint a, nint b, nint c, float beta, float alpha);
    [DllImport(Library)] internal static extern int sx_addmm_(nint a, nint b, nint c, float beta, float alpha);
    [DllImport(Library)] internal static extern nint sx_baddbmm(nint a, nint b, nint c, float beta, float alpha);
    [DllImport(Library)] internal static extern nint sx_einsum(byte* equation, nint* tensors, int count);
    [DllImport(Library)] internal static extern nint sx_sum(nint a, sbyte type);
    [DllImport(Library)] internal static extern nint sx_sum_dims(nint a, long* dims, int n, int keep, sbyte type);
    [DllImport(Library)] internal static extern nint sx_mean_dims(nint a, long* dims, int n, int keep, sbyte type);
    [DllImport(Library)] internal static extern nint sx_std(nint a, int unbiased);
    [DllImport(Library)] internal static extern nint sx_var(nint a, int unbiased);
    [DllImport(Library)] internal static extern nint sx_std_dims(nint a, long* dims, int n, int unbiased, int keep);
    [DllImport(Library)] internal static extern nint sx_var_dims(nint a, long* dims, int n, int unbiased, int keep);
    [DllImport(Library)] internal static extern nint sx_prod(nint a, sbyte type);
    [DllImport(Library)] internal static extern nint sx_prod_dim(nint a, long dim, int keep, sbyte type);
    [DllImport(Library)] internal static extern nint sx_amax(nint a, long* dims, int n, int keep);
    [DllImport(Library)] internal static extern nint sx_amin(nint a, long* dims, int n, int keep);
    [DllImport(Library)] internal static extern nint sx_all_dim(nint a, long dim, int keep);
    [DllImport(Library)] internal static extern nint sx_any_dim(nint a, long dim, int keep);
    [DllImport(Library)] internal static extern nint sx_argmax_dim(nint a, long dim, int keep);
    [DllImport(Library)] internal static extern nint sx_argmin_dim(nint a, long dim, int keep);
    [DllImport(Library)] internal static extern nint sx_argsort(nint a, long dim, int descending);
    [DllImport(Library)] internal static extern nint sx_norm(nint a, float p);
    [DllImport(Library)] internal static extern nint sx_norm_dim(nint a, long dim, int keep, float p);
    [DllImport(Library)] internal static extern nint sx_logsumexp(nint a, long dim, int keep);
    [DllImport(Library)] internal static extern nint sx_cumsum(nint a, long dim, sbyte type);
    [DllImport(Library)] internal static extern nint sx_cumprod(nint a, long dim, sbyte type);
    [DllImport(Library)] internal static extern nint sx_quantile(nint a, nint q, long dim, int keep);
    [DllImport(Library)] internal static extern nint sx_count_nonzero(nint a, long* dims, int n);
    [DllImport(Library)] internal static extern nint sx_isclose(nint a, nint b, double rtol, double atol, int equal_nan);
    [DllImport(Library)] internal static extern nint sx_softmax(nint a, long dim, sbyte type);
    [DllImport(Library)] internal static extern nint sx_log_softmax(nint a, long dim, sbyte type);
    [DllImport(Library)] internal static extern nint sx_vector_norm(nint a, double order, long* dims, int n, int keep);
    [DllImport(Library)] internal static extern nint sx_linalg_norm(nint a, NativeScalar order, long* dims, int n, int keep);
    [DllImport(Library)] internal static extern nint sx_max_dim(nint a, long dim, int keep, nint* second);
    [DllImport(Library)] internal static extern nint sx_min_dim(nint a, long dim, int keep, nint* second);
    [DllImport(Library)] internal static extern nint sx_sort(nint a, long dim, int descending, int stable, nint* second);
    [DllImport(Library)] internal static extern nint sx_topk(nint a, long k, long dim, int largest, int sorted, nint* second);

    // Layers and losses (native/nn.cpp)
    [DllImport(Library)] internal static extern nint sx_linear(nint x, nint weight, nint bias);
    [DllImport(Library)] internal static extern nint sx_conv2d(nint x, nint weight, nint bias, long* stride, int ns, long* padding, int np, long* dilation, int nd, long groups);
    [DllImport(Library)] internal static extern nint sx_conv2d_padding(nint x, nint weight, nint bias, long* stride, int ns, int same, long* dilation, int nd, long groups);
    [DllImport(Library)] internal static extern nint sx_group_norm(nint x, long groups, nint weight, nint bias, double eps);
    [DllImport(Library)] internal static extern nint sx_layer_norm(nint x, long* shape, int n, nint weight, nint bias, double eps);
    [DllImport(Library)] internal static extern nint sx_embedding(nint weight, nint indices, long padding, int scale_by_freq, int sparse);
    [DllImport(Library)] internal static extern int sx_embedding_renorm_(nint weight, nint indices, double max_norm, double norm_type);
    [DllImport(Library)] internal static extern nint sx_silu(nint x);
    [DllImport(Library)] internal static extern int sx_silu_(nint x);
    [DllImport(Library)] internal static extern nint sx_gelu(nint x, int tanh);
    [DllImport(Library)] internal static extern int sx_gelu_(nint x, int tanh);
    [DllImport(Library)] internal static extern nint sx_softplus(nint x, double beta, double threshold);
    [DllImport(Library)] internal static extern nint sx_leaky_relu(nint x, NativeScalar slope);
    [DllImport(Library)] internal static extern nint sx_dropout(nint x, double p, int training, int inplace);
    [DllImport(Library)] internal static extern nint sx_one_hot(nint x, long classes);
    [DllImport(Library)] internal static extern nint sx_normalize(nint x, double p, long dim, double eps);
    [DllImport(Library)] internal static extern nint sx_avg_pool2d(nint x, long* kernel, int nk, long* stride, int ns, long* padding, int np, int ceil_mode, int count_include_pad, long divisor);
    [DllImport(Library)] internal static extern nint sx_max_pool2d(nint x, long* kernel, int nk, long* stride, int ns, long* padding, int np, long* dilation, int nd, int ceil_mode);
    [DllImport(Library)] internal static extern nint sx_mse_loss(nint x, nint y, long reduction);
    [DllImport(Library)] internal static extern nint sx_l1_loss(nint x, nint y, long reduction);
    [DllImport(Library)] internal static extern nint sx_smooth_l1_loss(nint x, nint y, long reduction, double beta);
    [DllImport(Library)] internal static extern nint sx_huber_loss(nint x, nint y, long reduction, double delta);
    [DllImport(Library)] internal static extern nint sx_scaled_dot_product_attention(nint q, nint k, nint v, nint mask, double p, int causal);
    [DllImport(Library)] internal static extern nint sx_pad(nint x, long* pad, int n, int mode, double value);
    [DllImport(Library)] internal static extern nint sx_interpolate(nint x, long* size, int n, double* scale, int m, int mode, int align, int recompute, int antialias);

    // Gradients, generators, threads, devices (native/autograd.cpp)
    [DllImport(Library)] internal static extern int sx_set_requires_grad(nint t, int yes);
    [DllImport(Library)] internal static extern int sx_retain_grad(nint t);
    [DllImport(Library)] internal static extern nint sx_grad(nint t);
    [DllImport(Library)] internal static extern int sx_set_grad(nint t, nint grad);
    [DllImport(Library)] internal static extern int sx_backward(nint* tensors, int n, nint* grads, int m, int retain, int create, nint* inputs, int k);
    [DllImport(Library)] internal static extern nint* sx_autograd_grad(nint* outputs, int n, nint* inputs, int k, nint* grads, int m, int retain, int create, int allow_unused, int* count);
    [DllImport(Library)] internal static extern int sx_grad_mode();
    [DllImport(Library)] internal static extern void sx_set_grad_mode(int on);
    [DllImport(Library)] internal static extern nint sx_enter_inference_mode(int on);
    [DllImport(Library)] internal static extern void sx_leave_inference_mode(nint guard);
    [DllImport(Library)] internal static extern int sx_inference_mode();
    [DllImport(Library)] internal static extern int sx_clip_grad_norm_(nint* tensors, int count, double max_norm, double norm_type, double* norm);
    [DllImport(Library)] internal static extern nint sx_generator_new(ulong seed, int kind, int index);
    [DllImport(Library)] internal static extern nint sx_generator_default();
    [DllImport(Library)] internal static extern void sx_generator_free(nint g);
    [DllImport(Library)] internal static extern nint sx_generator_state(nint g);
    [DllImport(Library)] internal static extern int sx_generator_set_state(nint g, nint state);
    [DllImport(Library)] internal static extern int sx_generator_seed(nint g, long seed);
    [DllImport(Library)] internal static extern long sx_generator_initial_seed(nint g);
    [DllImport(Library)] internal static extern int sx_manual_seed(long seed);
    [DllImport(Library)] internal static extern int sx_get_num_threads();
    [DllImport(Library)] internal static extern int sx_set_num_threads(int n);
    [DllImport(Library)] internal static extern int sx_get_num_interop_threads();
    [DllImport(Library)] internal static extern int sx_set_num_interop_threads(int n);
    [DllImport(Library)] internal static extern int sx_cuda_is_available();
    [DllImport(Library)] internal static extern int sx_cudnn_is_available();
    [DllImport(Library)] internal static extern int sx_cuda_device_count();
    [DllImport(Library)] internal static extern int sx_cuda_synchronize(long device);
    [DllImport(Library)] internal static extern int sx_cuda_manual_seed(long seed);
    [DllImport(Library)] internal static extern int sx_cuda_manual_seed_all(long seed);
    [DllImport(Library)] internal static extern int sx_allow_tf32(int cudnn);
    [DllImport(Library)] internal static extern int sx_set_allow_tf32(int cudnn, int yes);

    // Differentiable functions in C# (native/function.cpp)
    [DllImport(Library)] internal static extern void sx_function_failed(byte* message);
    [DllImport(Library)] internal static extern nint* sx_function_apply(nint state, FunctionCallbacks* callbacks, nint* inputs, int n, int* count);
}
