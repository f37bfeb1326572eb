namespace TorchSharp;

public static partial class torch
{
    public enum RoundingMode
    {
        None,
        trunc,
        floor,
    }

    public unsafe partial class Tensor
    {
        // ---- arithmetic
        public Tensor add(Tensor target) => Wrap(Native.sx_add(Handle, target.Handle, default), this, target);

        public Tensor add(Tensor target, Scalar alpha) => Wrap(Native.sx_add(Handle, target.Handle, alpha.Value), this, target);

        public Tensor add(Scalar scalar) => Wrap(Native.sx_add_scalar(Handle, scalar.Value), this);

        public Tensor add(Scalar scalar, Scalar alpha) => Wrap(Native.sx_add_scaled_scalar(Handle, scalar.Value, alpha.Value), this);

        public Tensor add_(Tensor target) => Done(Native.sx_add_(Handle, target.Handle, default), target);

        public Tensor add_(Tensor target, Scalar alpha) => Done(Native.sx_add_(Handle, target.Handle, alpha.Value), target);

        public Tensor add_(Scalar scalar) => Done(Native.sx_add__scalar(Handle, scalar.Value, default));

        public Tensor add_(Scalar scalar, Scalar alpha) => Done(Native.sx_add__scalar(Handle, scalar.Value, alpha.Value));

        public Tensor sub(Tensor target) => Wrap(Native.sx_sub(Handle, target.Handle), this, target);

        public Tensor sub(Scalar target) => Wrap(Native.sx_sub_scalar(Handle, target.Value), this);

        public Tensor subtract(Scalar target) => sub(target);

        public Tensor subtract(Tensor target) => sub(target);

        public Tensor sub_(Tensor target) => Done(Native.sx_sub_(Handle, target.Handle), target);

        public Tensor sub_(Scalar target) => Done(Native.sx_sub__scalar(Handle, target.Value));

        public Tensor mul(Tensor target) => Wrap(Native.sx_mul(Handle, target.Handle), this, target);

        public Tensor mul(Scalar target) => Wrap(Native.sx_mul_scalar(Handle, target.Value), this);

        public Tensor multiply(Tensor target) => mul(target);

        public Tensor multiply(Scalar target) => mul(target);

        public Tensor mul_(Tensor target) => Done(Native.sx_mul_(Handle, target.Handle), target);

        public Tensor mul_(Scalar target) => Done(Native.sx_mul__scalar(Handle, target.Value));

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Wrap(Native.sx_div(Handle, target.Handle, (int)rounding_mode), this, target);

        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Wrap(Native.sx_div_scalar(Handle, target.Value, (int)rounding_mode), this);

        public Tensor divide(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);

        public Tensor divide(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);

        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Done(Native.sx_div_(Handle, target.Handle, (int)rounding_mode), target);

        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Done(Native.sx_div__scalar(Handle, target.Value, (int)rounding_mode));

        public Tensor floor_divide(Tensor other) => Wrap(Native.sx_floor_divide(Handle, other.Handle), this, other);

        public Tensor floor_divide(Scalar other) => Wrap(Native.sx_floor_divide_scalar(Handle, other.Value), this);

        public Tensor remainder(Tensor target) => Wrap(Native.sx_remainder(Handle, target.Handle), this, target);

        public Tensor remainder(Scalar scalar) => Wrap(Native.sx_remainder_scalar(Handle, scalar.Value), this);

        public Tensor remainder_(Tensor target) => Done(Native.sx_remainder_(Handle, target.Handle), target);

        public Tensor remainder_(Scalar scalar) => Done(Native.sx_remainder__scalar(Handle, scalar.Value));

        public Tensor fmod(Tensor target) => Wrap(Native.sx_fmod(Handle, target.Handle), this, target);

        public Tensor fmod(Scalar scalar) => Wrap(Native.sx_fmod_scalar(Handle, scalar.Value), this);

        public Tensor pow(Tensor exponent) => Wrap(Native.sx_pow(Handle, exponent.Handle), this, exponent);

        public Tensor pow(Scalar exponent) => Wrap(Native.sx_pow_scalar(Handle, exponent.Value), this);

        public Tensor pow_(Tensor exponent) => Done(Native.sx_pow_(Handle, exponent.Handle), exponent);

        public Tensor pow_(Scalar exponent) => Done(Native.sx_pow__scalar(Handle, exponent.Value));

        public Tensor square() => pow(2);

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Wrap(Native.sx_addcmul(Handle, tensor1.Handle, tensor2.Handle, value.Value), this, tensor1, tensor2);

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => Done(Native.sx_addcmul_(Handle, tensor1.Handle, tensor2.Handle, value.Value), tensor1, tensor2);

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Wrap(Native.sx_addcdiv(Handle, tensor1.Handle, tensor2.Handle, value.Value), this, tensor1, tensor2);

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2) => addcdiv(tensor1, tensor2, 1);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => Done(Native.sx_addcdiv_(Handle, tensor1.Handle, tensor2.Handle, value.Value), tensor1, tensor2);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => addcdiv_(tensor1, tensor2, 1);

        public Tensor lerp(Tensor end, Tensor weight) => Wrap(Native.sx_lerp(Handle, end.Handle, weight.Handle), this, end, weight);

        public Tensor lerp_(Tensor end, Tensor weight) => Done(Native.sx_lerp_(Handle, end.Handle, weight.Handle), end, weight);

        // ---- functions of each element
        public Tensor abs() => Wrap(Native.sx_abs(Handle), this);

        public Tensor absolute() => abs();

        public Tensor abs_() => Done(Native.sx_abs_(Handle));

        public Tensor ceil() => Wrap(Native.sx_ceil(Handle), this);

        public Tensor ceil_() => Done(Native.sx_ceil_(Handle));

        public Tensor floor() => Wrap(Native.sx_floor(Handle), this);

        public Tensor floor_() => Done(Native.sx_floor_(Handle));

        public Tensor round(long decimals = 0L) => Wrap(Native.sx_round(Handle, decimals), this);

        public Tensor round_(long decimals = 0L) => Done(Native.sx_round_(Handle, decimals));

        public Tensor trunc() => Wrap(Native.sx_trunc(Handle), this);

        public Tensor trunc_() => Done(Native.sx_trunc_(Handle));

        public Tensor frac() => Wrap(Native.sx_frac(Handle), this);

        public Tensor exp() => Wrap(Native.sx_exp(Handle), this);

        public Tensor exp_() => Done(Native.sx_exp_(Handle));

        public Tensor exp2() => Wrap(Native.sx_exp2(Handle), this);

        public Tensor expm1() => Wrap(Native.sx_expm1(Handle), this);

        public Tensor expm1_() => Done(Native.sx_expm1_(Handle));

        public Tensor log() => Wrap(Native.sx_log(Handle), this);

        public Tensor log_() => Done(Native.sx_log_(Handle));

        public Tensor log2() => Wrap(Native.sx_log2(Handle), this);

        public Tensor log2_() => Done(Native.sx_log2_(Handle));

        public Tensor log10() => Wrap(Native.sx_log10(Handle), this);

        public Tensor log10_() => Done(Native.sx_log10_(Handle));

        public Tensor log1p() => Wrap(Native.sx_log1p(Handle), this);

        public Tensor log1p_() => Done(Native.sx_log1p_(Handle));

        public Tensor logaddexp(Tensor other) => Wrap(Native.sx_logaddexp(Handle, other.Handle), this, other);

        public Tensor sqrt() => Wrap(Native.sx_sqrt(Handle), this);

        public Tensor sqrt_() => Done(Native.sx_sqrt_(Handle));

        public Tensor rsqrt() => Wrap(Native.sx_rsqrt(Handle), this);

        public Tensor rsqrt_() => Done(Native.sx_rsqrt_(Handle));

        public Tensor reciprocal() => Wrap(Native.sx_reciprocal(Handle), this);

        public Tensor reciprocal_() => Done(Native.sx_reciprocal_(Handle));

        public Tensor neg() => Wrap(Native.sx_neg(Handle), this);

        public Tensor negative() => neg();

        public Tensor neg_() => Done(Native.sx_neg_(Handle));

        public Tensor sign() => Wrap(Native.sx_sign(Handle), this);

        public Tensor sign_() => Done(Native.sx_sign_(Handle));

        public Tensor sgn() => Wrap(Native.sx_sgn(Handle), this);

        public Tensor sin() => Wrap(Native.sx_sin(Handle), this);

        public Tensor sin_() => Done(Native.sx_sin_(Handle));

        public Tensor cos() => Wrap(Native.sx_cos(Handle), this);

        public Tensor cos_() => Done(Native.sx_cos_(Handle));

        public Tensor tan() => Wrap(Native.sx_tan(Handle), this);

        public Tensor tan_() => Done(Native.sx_tan_(Handle));

        public Tensor asin() => Wrap(Native.sx_asin(Handle), this);

        public Tensor acos() => Wrap(Native.sx_acos(Handle), this);

        public Tensor atan() => Wrap(Native.sx_atan(Handle), this);

        public Tensor atan2(Tensor other) => Wrap(Native.sx_atan2(Handle, other.Handle), this, other);

        public Tensor sinh() => Wrap(Native.sx_sinh(Handle), this);

        public Tensor cosh() => Wrap(Native.sx_cosh(Handle), this);

        public Tensor tanh() => Wrap(Native.sx_tanh(Handle), this);

        public Tensor tanh_() => Done(Native.sx_tanh_(Handle));

        public Tensor sigmoid() => Wrap(Native.sx_sigmoid(Handle), this);

        public Tensor sigmoid_() => Done(Native.sx_sigmoid_(Handle));

        public Tensor erf() => Wrap(Native.sx_erf(Handle), this);

        public Tensor erf_() => Done(Native.sx_erf_(Handle));

        public Tensor erfc() => Wrap(Native.sx_erfc(Handle), this);

        public Tensor erfinv() => Wrap(Native.sx_erfinv(Handle), this);

        public Tensor relu() => Wrap(Native.sx_relu(Handle), this);

        public Tensor relu_() => Done(Native.sx_relu_(Handle));

        public Tensor silu() => Wrap(Native.sx_silu(Handle), this);

        public Tensor silu_() => Done(Native.sx_silu_(Handle));

        public Tensor gelu() => Wrap(Native.sx_gelu(Handle, 0), this);

        public Tensor gelu(Modules.GELU.Approximate approximate) => Wrap(Native.sx_gelu(Handle, (int)approximate), this);

        public Tensor gelu_() => Done(Native.sx_gelu_(Handle, 0));

        public Tensor gelu_(Modules.GELU.Approximate approximate) => Done(Native.sx_gelu_(Handle, (int)approximate));

        public Tensor softplus(double beta = 1, double threshold = 20) => Wrap(Native.sx_softplus(Handle, beta, threshold), this);

        public Tensor leaky_relu(Scalar negative_slope) => Wrap(Native.sx_leaky_relu(Handle, negative_slope.Value), this);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Wrap(Native.sx_softmax(Handle, dim, Type(dtype)), this);

        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Wrap(Native.sx_log_softmax(Handle, dim, Type(dtype)), this);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Wrap(Native.sx_clamp(Handle, Number(min), Number(max)), this);

        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Wrap(Native.sx_clamp_tensor(Handle, min?.Handle ?? 0, max?.Handle ?? 0), this, min, max);

        public Tensor clip(Scalar? min = null, Scalar? max = null) => clamp(min, max);

        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Done(Native.sx_clamp_(Handle, Number(min), Number(max)));

        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => Done(Native.sx_clamp__tensor(Handle, min?.Handle ?? 0, max?.Handle ?? 0), min, max);

        public Tensor clamp_max(Scalar max) => clamp(null, max);

        public Tensor clamp_max_(Scalar max) => clamp_(null, max);

        public Tensor clamp_min(Scalar min) => Wrap(Native.sx_clamp(Handle, min.Value, default), this);

        public Tensor clamp_min_(Scalar min) => Done(Native.sx_clamp_(Handle, min.Value, default));

        public Tensor nan_to_num(double nan = 0d, double? posinf = null, double? neginf = null) => Wrap(
            Native.sx_nan_to_num(Handle, nan, posinf is { } high ? NativeScalar.Of(high) : default, neginf is { } low ? NativeScalar.Of(low) : default), this);

        public Tensor minimum(Tensor other) => Wrap(Native.sx_minimum(Handle, other.Handle), this, other);

        public Tensor maximum(Tensor other) => Wrap(Native.sx_maximum(Handle, other.Handle), this, other);

        // ---- comparisons and logic
        public Tensor eq(Tensor target) => Wrap(Native.sx_eq(Handle, target.Handle), this, target);

        public Tensor eq(Scalar target) => Wrap(Native.sx_eq_scalar(Handle, target.Value), this);

        public Tensor equal(Tensor target) => eq(target);

        public Tensor ne(Tensor target) => Wrap(Native.sx_ne(Handle, target.Handle), this, target);

        public Tensor ne(Scalar target) => Wrap(Native.sx_ne_scalar(Handle, target.Value), this);

        public Tensor not_equal(Tensor target) => ne(target);

        public Tensor lt(Tensor target) => Wrap(Native.sx_lt(Handle, target.Handle), this, target);

        public Tensor lt(Scalar target) => Wrap(Native.sx_lt_scalar(Handle, target.Value), this);

        public Tensor less(Tensor target) => lt(target);

        public Tensor le(Tensor target) => Wrap(Native.sx_le(Handle, target.Handle), this, target);

        public Tensor le(Scalar target) => Wrap(Native.sx_le_scalar(Handle, target.Value), this);

        public Tensor less_equal(Tensor target) => le(target);

        public Tensor gt(Tensor target) => Wrap(Native.sx_gt(Handle, target.Handle), this, target);

        public Tensor gt(Scalar target) => Wrap(Native.sx_gt_scalar(Handle, target.Value), this);

        public Tensor greater(Tensor target) => gt(target);

        public Tensor ge(Tensor target) => Wrap(Native.sx_ge(Handle, target.Handle), this, target);

        public Tensor ge(Scalar target) => Wrap(Native.sx_ge_scalar(Handle, target.Value), this);

        public Tensor greater_equal(Tensor target) => ge(target);

        public Tensor isclose(Tensor other, double rtol = 1e-05, double atol = 1e-08, bool nanEqual = false) =>
            Wrap(Native.sx_isclose(Handle, other.Handle, rtol, atol, Flag(nanEqual)), this, other);

        public Tensor isfinite() => Wrap(Native.sx_isfinite(Handle), this);

        public Tensor isnan() => Wrap(Native.sx_isnan(Handle), this);

        public Tensor isinf() => Wrap(Native.sx_isinf(Handle), this);

        public Tensor logical_and(Tensor other) => Wrap(Native.sx_logical_and(Handle, other.Handle), this, other);

        public Tensor logical_and_(Tensor other) => Done(Native.sx_logical_and_(Handle, other.Handle), other);

        public Tensor logical_or(Tensor other) => Wrap(Native.sx_logical_or(Handle, other.Handle), this, other);

        public Tensor logical_or_(Tensor other) => Done(Native.sx_logical_or_(Handle, other.Handle), other);

        public Tensor logical_xor(Tensor other) => Wrap(Native.sx_logical_xor(Handle, other.Handle), this, other);

        public Tensor logical_not() => Wrap(Native.sx_logical_not(Handle), this);

        public Tensor logical_not_() => Done(Native.sx_logical_not_(Handle));

        public Tensor bitwise_and(Tensor other) => Wrap(Native.sx_bitwise_and(Handle, other.Handle), this, other);

        public Tensor bitwise_or(Tensor other) => Wrap(Native.sx_bitwise_or(Handle, other.Handle), this, other);

        public Tensor bitwise_xor(Tensor other) => Wrap(Native.sx_bitwise_xor(Handle, other.Handle), this, other);

        public Tensor bitwise_not() => Wrap(Native.sx_bitwise_not(Handle), this);

        // ---- matrix products
        public Tensor matmul(Tensor target) => Wrap(Native.sx_matmul(Handle, target.Handle), this, target);

        public Tensor mm(Tensor target) => Wrap(Native.sx_mm(Handle, target.Handle), this, target);

        public Tensor bmm(Tensor batch2) => Wrap(Native.sx_bmm(Handle, batch2.Handle), this, batch2);

        public Tensor mv(Tensor target) => Wrap(Native.sx_mv(Handle, target.Handle), this, target);

        public Tensor dot(Tensor target) => Wrap(Native.sx_dot(Handle, target.Handle), this, target);

        public Tensor outer(Tensor vec2) => Wrap(Native.sx_outer(Handle, vec2.Handle), this, vec2);

        public Tensor addmm(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1) => Wrap(Native.sx_addmm(Handle, mat1.Handle, mat2.Handle, beta, alpha), this, mat1, mat2);

        public Tensor addmm_(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1) => Done(Native.sx_addmm_(Handle, mat1.Handle, mat2.Handle, beta, alpha), mat1, mat2);

        /// <summary>beta batch2 + alpha (this batch1): the real package hands its three tensors on in this order, not in the documented one. Better use bmm.</summary>
        public Tensor baddbmm(Tensor batch1, Tensor batch2, float beta = 1, float alpha = 1) =>
            Wrap(Native.sx_baddbmm(batch2.Handle, Handle, batch1.Handle, beta, alpha), this, batch1, batch2);

        public Tensor trace() => Wrap(Native.sx_trace(Handle), this);

        // ---- reductions
        public Tensor sum(ScalarType? type = null) => Wrap(Native.sx_sum(Handle, Type(type)), this);

        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => sum((ReadOnlySpan<long>)dim, keepdim, type);

        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null)
        {
            fixed (long* p = dim)
                return Wrap(Native.sx_sum_dims(Handle, p, dim.Length, Flag(keepdim), Type(type)), this);
        }

        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => sum([dim], keepdim, type);

        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) => sum([dim0, dim1], keepdim, type);

        public Tensor sum(long dim0, long dim1, long dim2, bool keepdim = false, ScalarType? type = null) => sum([dim0, dim1, dim2], keepdim, type);

        public Tensor mean() => Wrap(Native.sx_mean(Handle), this);

        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null)
        {
            fixed (long* p = dimensions)
                return Wrap(Native.sx_mean_dims(Handle, p, dimensions.Length, Flag(keepdim), Type(type)), this);
        }

        public Tensor std(bool unbiased = true) => Wrap(Native.sx_std(Handle, Flag(unbiased)), this);

        /// <summary>Always unbiased: the real package does not pass its argument on. Name the dimensions for the other variance.</summary>
        public Tensor var(bool unbiased = true) => Wrap(Native.sx_var(Handle, 1), this);

        public Tensor std(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
        {
            fixed (long* p = dimensions)
                return Wrap(Native.sx_std_dims(Handle, p, dimensions.Length, Flag(unbiased), Flag(keepdim)), this);
        }

        public Tensor var(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
        {
            fixed (long* p = dimensions)
                return Wrap(Native.sx_var_dims(Handle, p, dimensions.Length, Flag(unbiased), Flag(keepdim)), this);
        }

        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            std((ReadOnlySpan<long>)dimensions, unbiased, keepdim, type);

        public Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            var((ReadOnlySpan<long>)dimensions, unbiased, keepdim, type);

        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std((ReadOnlySpan<long>)[dim], unbiased, keepdim, type);

        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => var((ReadOnlySpan<long>)[dim], unbiased, keepdim, type);

        public Tensor prod(ScalarType? type = null) => Wrap(Native.sx_prod(Handle, Type(type)), this);

        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null) => Wrap(Native.sx_prod_dim(Handle, dim, Flag(keepdim), Type(type)), this);

        public Tensor max() => Wrap(Native.sx_max(Handle), this);

        public Tensor max(Tensor other) => maximum(other);

        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false)
        {
            nint second;
            var first = Wrap(Native.sx_max_dim(Handle, dim, Flag(keepdim), &second), this);
            return (first, new Tensor(second));
        }

        public Tensor min() => Wrap(Native.sx_min(Handle), this);

        public Tensor min(Tensor other) => minimum(other);

        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false)
        {
            nint second;
            var first = Wrap(Native.sx_min_dim(Handle, dim, Flag(keepdim), &second), this);
            return (first, new Tensor(second));
        }

        public Tensor amax(long[] dims, bool keepdim = false, Tensor? @out = null) => amax((ReadOnlySpan<long>)dims, keepdim, @out);

        public Tensor amax(params long[] dims) => amax((ReadOnlySpan<long>)dims, false, null);

        public Tensor amax(ReadOnlySpan<long> dims, bool keepdim = false, Tensor? @out = null)
        {
            fixed (long* p = dims)
                return Into(@out, Wrap(Native.sx_amax(Handle, p, dims.Length, Flag(keepdim)), this));
        }

        public Tensor amin(ReadOnlySpan<long> dims, bool keepdim = false, Tensor? @out = null)
        {
            fixed (long* p = dims)
                return Into(@out, Wrap(Native.sx_amin(Handle, p, dims.Length, Flag(keepdim)), this));
        }

        public Tensor amin(long[] dims, bool keepdim = false, Tensor? @out = null) => amin((ReadOnlySpan<long>)dims, keepdim, @out);

        public Tensor amin(params long[] dims) => amin((ReadOnlySpan<long>)dims, false, null);

        private static Tensor Into(Tensor? target, Tensor result) => target is null ? result : target.copy_(result);

        public Tensor argmax() => Wrap(Native.sx_argmax(Handle), this);

        public Tensor argmax(long dim, bool keepdim = false) => Wrap(Native.sx_argmax_dim(Handle, dim, Flag(keepdim)), this);

        public Tensor argmin() => Wrap(Native.sx_argmin(Handle), this);

        public Tensor argmin(long dim, bool keepdim = false) => Wrap(Native.sx_argmin_dim(Handle, dim, Flag(keepdim)), this);

        public Tensor argsort(long dim = -1, bool descending = false) => Wrap(Native.sx_argsort(Handle, dim, Flag(descending)), this);

        public (Tensor Values, Tensor Indices) sort(long dim = -1, bool descending = false, bool stable = false)
        {
            nint second;
            var first = Wrap(Native.sx_sort(Handle, dim, Flag(descending), Flag(stable), &second), this);
            return (first, new Tensor(second));
        }

        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true)
        {
            nint second;
            var first = Wrap(Native.sx_topk(Handle, k, dim, Flag(largest), Flag(sorted), &second), this);
            return (first, new Tensor(second));
        }

        public Tensor median() => Wrap(Native.sx_median(Handle), this);

        public Tensor quantile(Tensor q, long dim = -1, bool keepdim = false) => Wrap(Native.sx_quantile(Handle, q.Handle, dim, Flag(keepdim)), this, q);

        public Tensor norm(float p = 2.0f) => Wrap(Native.sx_norm(Handle, p), this);

        public Tensor norm(int dim, bool keepdim = false, float p = 2.0f) => Wrap(Native.sx_norm_dim(Handle, dim, Flag(keepdim), p), this);

        public Tensor logsumexp(long dim, bool keepdim = false) => Wrap(Native.sx_logsumexp(Handle, dim, Flag(keepdim)), this);

        public Tensor cumsum(long dim, ScalarType? type = null) => Wrap(Native.sx_cumsum(Handle, dim, Type(type)), this);

        public Tensor cumprod(long dim, ScalarType? type = null) => Wrap(Native.sx_cumprod(Handle, dim, Type(type)), this);

        public Tensor all() => Wrap(Native.sx_all(Handle), this);

        public Tensor all(long dim, bool keepdim = false) => Wrap(Native.sx_all_dim(Handle, dim, Flag(keepdim)), this);

        public Tensor any() => Wrap(Native.sx_any(Handle), this);

        public Tensor any(long dim, bool keepdim = false) => Wrap(Native.sx_any_dim(Handle, dim, Flag(keepdim)), this);

        public Tensor count_nonzero(long[]? dims = null)
        {
            fixed (long* p = dims)
                return Wrap(Native.sx_count_nonzero(Handle, p, dims?.Length ?? 0), this);
        }

        // ---- filling
        public Tensor fill_(Scalar value) => Done(Native.sx_fill__scalar(Handle, value.Value));

        public Tensor zero_() => Done(Native.sx_zero_(Handle));

        public Tensor normal_(double mean = 0.0, double std = 1.0, Generator? generator = null) => Done(Native.sx_normal_(Handle, mean, std, generator?.Handle ?? 0), generator);

        public Tensor uniform_(double from, double to, Generator? generator = null) => Done(Native.sx_uniform_(Handle, from, to, generator?.Handle ?? 0), generator);

        public Tensor random_(double from, double to, Generator? generator = null) => Done(Native.sx_random_(Handle, (long)from, (long)to, generator?.Handle ?? 0), generator);

        public Tensor bernoulli(Generator? generator = null) => Wrap(Native.sx_bernoulli(Handle, generator?.Handle ?? 0), this, generator);

        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) => Done(Native.sx_bernoulli_(Handle, p, generator?.Handle ?? 0), generator);

        public Tensor multinomial(long num_samples, bool replacement = false, Generator? generator = null) =>
            Wrap(Native.sx_multinomial(Handle, num_samples, Flag(replacement), generator?.Handle ?? 0), this, generator);
    }
}
