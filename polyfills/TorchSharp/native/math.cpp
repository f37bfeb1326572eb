// Elementwise operations, comparisons, reductions and matrix products.
#include "shim.h"

#define UNARY(op) SX_TENSOR(sx_##op, (const Tensor* a), a->op())
#define UNARY_(op) SX_VOID(sx_##op, (Tensor* a), a->op())
#define BINARY(op) SX_TENSOR(sx_##op, (const Tensor* a, const Tensor* b), a->op(*b))
#define BINARY_(op) SX_VOID(sx_##op, (Tensor* a, const Tensor* b), a->op(*b))
#define WITH_SCALAR(op) SX_TENSOR(sx_##op##_scalar, (const Tensor* a, Scalar b), a->op(b.value()))
#define WITH_SCALAR_(op) SX_VOID(sx_##op##_scalar, (Tensor* a, Scalar b), a->op(b.value()))

UNARY(abs) UNARY(ceil) UNARY(floor) UNARY(exp) UNARY(exp2) UNARY(expm1) UNARY(log) UNARY(log2) UNARY(log10) UNARY(log1p) UNARY(sqrt) UNARY(rsqrt)
UNARY(sin) UNARY(cos) UNARY(tan) UNARY(asin) UNARY(acos) UNARY(atan) UNARY(sinh) UNARY(cosh) UNARY(tanh) UNARY(sigmoid) UNARY(erf) UNARY(erfc)
UNARY(erfinv) UNARY(reciprocal) UNARY(neg) UNARY(sign) UNARY(sgn) UNARY(trunc) UNARY(frac) UNARY(relu) UNARY(isfinite) UNARY(isnan) UNARY(isinf)
UNARY(logical_not) UNARY(bitwise_not) UNARY(all) UNARY(any) UNARY(mean) UNARY(max) UNARY(min) UNARY(argmax) UNARY(argmin) UNARY(median)
UNARY(nonzero) UNARY(trace)

UNARY_(abs_) UNARY_(ceil_) UNARY_(floor_) UNARY_(exp_) UNARY_(expm1_) UNARY_(log_) UNARY_(log2_) UNARY_(log10_) UNARY_(log1p_) UNARY_(sqrt_)
UNARY_(rsqrt_) UNARY_(sin_) UNARY_(cos_) UNARY_(tan_) UNARY_(tanh_) UNARY_(sigmoid_) UNARY_(erf_) UNARY_(reciprocal_) UNARY_(neg_) UNARY_(sign_)
UNARY_(trunc_) UNARY_(relu_) UNARY_(zero_) UNARY_(logical_not_)

BINARY(mul) BINARY(pow) BINARY(atan2) BINARY(fmod) BINARY(remainder) BINARY(floor_divide) BINARY(minimum) BINARY(maximum)
BINARY(eq) BINARY(ne) BINARY(lt) BINARY(le) BINARY(gt) BINARY(ge) BINARY(logical_and) BINARY(logical_or) BINARY(logical_xor)
BINARY(bitwise_and) BINARY(bitwise_or) BINARY(bitwise_xor) BINARY(matmul) BINARY(mm) BINARY(bmm) BINARY(mv) BINARY(dot) BINARY(outer) BINARY(logaddexp)
BINARY_(mul_) BINARY_(pow_) BINARY_(remainder_) BINARY_(logical_and_) BINARY_(logical_or_)
WITH_SCALAR(add) WITH_SCALAR(sub) WITH_SCALAR(mul) WITH_SCALAR(pow) WITH_SCALAR(fmod) WITH_SCALAR(remainder) WITH_SCALAR(floor_divide)
WITH_SCALAR(eq) WITH_SCALAR(ne) WITH_SCALAR(lt) WITH_SCALAR(le) WITH_SCALAR(gt) WITH_SCALAR(ge)
WITH_SCALAR_(sub_) WITH_SCALAR_(mul_) WITH_SCALAR_(pow_) WITH_SCALAR_(remainder_) WITH_SCALAR_(fill_)

SX_TENSOR(sx_add, (const Tensor* a, const Tensor* b, Scalar alpha), alpha.present() ? a->add(*b, alpha.value()) : a->add(*b))
SX_TENSOR(sx_add_scaled_scalar, (const Tensor* a, Scalar b, Scalar alpha), a->add(b.value(), alpha.value()))
SX_VOID(sx_add_, (Tensor* a, const Tensor* b, Scalar alpha), alpha.present() ? a->add_(*b, alpha.value()) : a->add_(*b))
SX_VOID(sx_add__scalar, (Tensor* a, Scalar b, Scalar alpha), alpha.present() ? a->add_(b.value(), alpha.value()) : a->add_(b.value()))
SX_TENSOR(sx_sub, (const Tensor* a, const Tensor* b), a->sub(*b))
SX_VOID(sx_sub_, (Tensor* a, const Tensor* b), a->sub_(*b))

namespace {
// 0 true division, 1 towards zero, 2 towards minus infinity
const char* rounding(int32_t mode) { return mode == 1 ? "trunc" : "floor"; }
}  // namespace

SX_TENSOR(sx_div, (const Tensor* a, const Tensor* b, int32_t mode), mode == 0 ? a->div(*b) : a->div(*b, rounding(mode)))
SX_TENSOR(sx_div_scalar, (const Tensor* a, Scalar b, int32_t mode), mode == 0 ? a->div(b.value()) : a->div(b.value(), rounding(mode)))
SX_VOID(sx_div_, (Tensor* a, const Tensor* b, int32_t mode), mode == 0 ? a->div_(*b) : a->div_(*b, rounding(mode)))
SX_VOID(sx_div__scalar, (Tensor* a, Scalar b, int32_t mode), mode == 0 ? a->div_(b.value()) : a->div_(b.value(), rounding(mode)))

SX_TENSOR(sx_round, (const Tensor* a, int64_t decimals), decimals == 0 ? a->round() : a->round(decimals))
SX_VOID(sx_round_, (Tensor* a, int64_t decimals), decimals == 0 ? a->round_() : a->round_(decimals))
SX_TENSOR(sx_addcmul, (const Tensor* a, const Tensor* b, const Tensor* c, Scalar value), a->addcmul(*b, *c, value.value()))
SX_VOID(sx_addcmul_, (Tensor* a, const Tensor* b, const Tensor* c, Scalar value), a->addcmul_(*b, *c, value.value()))
SX_TENSOR(sx_addcdiv, (const Tensor* a, const Tensor* b, const Tensor* c, Scalar value), a->addcdiv(*b, *c, value.value()))
SX_VOID(sx_addcdiv_, (Tensor* a, const Tensor* b, const Tensor* c, Scalar value), a->addcdiv_(*b, *c, value.value()))
SX_TENSOR(sx_lerp, (const Tensor* a, const Tensor* end, const Tensor* weight), a->lerp(*end, *weight))
SX_VOID(sx_lerp_, (Tensor* a, const Tensor* end, const Tensor* weight), a->lerp_(*end, *weight))
SX_TENSOR(sx_clamp, (const Tensor* a, Scalar low, Scalar high), a->clamp(low.optional(), high.optional()))
SX_VOID(sx_clamp_, (Tensor* a, Scalar low, Scalar high), a->clamp_(low.optional(), high.optional()))
SX_TENSOR(sx_clamp_tensor, (const Tensor* a, const Tensor* low, const Tensor* high), a->clamp(sx::optional(low), sx::optional(high)))
SX_VOID(sx_clamp__tensor, (Tensor* a, const Tensor* low, const Tensor* high), a->clamp_(sx::optional(low), sx::optional(high)))
SX_TENSOR(sx_nan_to_num, (const Tensor* a, double nan, Scalar high, Scalar low),
          a->nan_to_num(nan, high.present() ? Optional<double>(high.real()) : Optional<double>(), low.present() ? Optional<double>(low.real()) : Optional<double>()))

SX_TENSOR(sx_addmm, (const Tensor* a, const Tensor* b, const Tensor* c, float beta, float alpha), a->addmm(*b, *c, beta, alpha))
SX_VOID(sx_addmm_, (Tensor* a, const Tensor* b, const Tensor* c, float beta, float alpha), a->addmm_(*b, *c, beta, alpha))
SX_TENSOR(sx_baddbmm, (const Tensor* a, const Tensor* b, const Tensor* c, float beta, float alpha), a->baddbmm(*b, *c, beta, alpha))
SX_TENSOR(sx_einsum, (const char* equation, Tensor* const* tensors, int32_t count), at::einsum(equation, sx::list(tensors, count)))

SX_TENSOR(sx_sum, (const Tensor* a, int8_t type), a->sum(sx::optional_type(type)))
SX_TENSOR(sx_sum_dims, (const Tensor* a, const int64_t* dims, int32_t n, int32_t keep, int8_t type), a->sum(sx::sizes(dims, n), keep != 0, sx::optional_type(type)))
SX_TENSOR(sx_mean_dims, (const Tensor* a, const int64_t* dims, int32_t n, int32_t keep, int8_t type), a->mean(sx::sizes(dims, n), keep != 0, sx::optional_type(type)))
SX_TENSOR(sx_std, (const Tensor* a, int32_t unbiased), a->std(unbiased != 0))
SX_TENSOR(sx_var, (const Tensor* a, int32_t unbiased), a->var(unbiased != 0))
SX_TENSOR(sx_std_dims, (const Tensor* a, const int64_t* dims, int32_t n, int32_t unbiased, int32_t keep), a->std(sx::sizes(dims, n), unbiased != 0, keep != 0))
SX_TENSOR(sx_var_dims, (const Tensor* a, const int64_t* dims, int32_t n, int32_t unbiased, int32_t keep), a->var(sx::sizes(dims, n), unbiased != 0, keep != 0))
SX_TENSOR(sx_prod, (const Tensor* a, int8_t type), a->prod(sx::optional_type(type)))
SX_TENSOR(sx_prod_dim, (const Tensor* a, int64_t dim, int32_t keep, int8_t type), a->prod(dim, keep != 0, sx::optional_type(type)))
SX_TENSOR(sx_amax, (const Tensor* a, const int64_t* dims, int32_t n, int32_t keep), a->amax(sx::sizes(dims, n), keep != 0))
SX_TENSOR(sx_amin, (const Tensor* a, const int64_t* dims, int32_t n, int32_t keep), a->amin(sx::sizes(dims, n), keep != 0))
SX_TENSOR(sx_all_dim, (const Tensor* a, int64_t dim, int32_t keep), a->all(dim, keep != 0))
SX_TENSOR(sx_any_dim, (const Tensor* a, int64_t dim, int32_t keep), a->any(dim, keep != 0))
SX_TENSOR(sx_argmax_dim, (const Tensor* a, int64_t dim, int32_t keep), a->argmax(dim, keep != 0))
SX_TENSOR(sx_argmin_dim, (const Tensor* a, int64_t dim, int32_t keep), a->argmin(dim, keep != 0))
SX_TENSOR(sx_argsort, (const Tensor* a, int64_t dim, int32_t descending), a->argsort(dim, descending != 0))
SX_TENSOR(sx_norm, (const Tensor* a, float p), a->norm(p))
SX_TENSOR(sx_norm_dim, (const Tensor* a, int64_t dim, int32_t keep, float p), a->norm(p, {dim}, keep != 0))
SX_TENSOR(sx_logsumexp, (const Tensor* a, int64_t dim, int32_t keep), a->logsumexp({dim}, keep != 0))
SX_TENSOR(sx_cumsum, (const Tensor* a, int64_t dim, int8_t type), a->cumsum(dim, sx::optional_type(type)))
SX_TENSOR(sx_cumprod, (const Tensor* a, int64_t dim, int8_t type), a->cumprod(dim, sx::optional_type(type)))
SX_TENSOR(sx_quantile, (const Tensor* a, const Tensor* q, int64_t dim, int32_t keep), a->quantile(*q, dim, keep != 0))
SX_TENSOR(sx_count_nonzero, (const Tensor* a, const int64_t* dims, int32_t n), n == 0 ? a->count_nonzero() : a->count_nonzero(sx::sizes(dims, n)))
SX_TENSOR(sx_isclose, (const Tensor* a, const Tensor* b, double rtol, double atol, int32_t equal_nan), a->isclose(*b, rtol, atol, equal_nan != 0))
SX_TENSOR(sx_softmax, (const Tensor* a, int64_t dim, int8_t type), a->softmax(dim, sx::optional_type(type)))
SX_TENSOR(sx_log_softmax, (const Tensor* a, int64_t dim, int8_t type), a->log_softmax(dim, sx::optional_type(type)))
SX_TENSOR(sx_vector_norm, (const Tensor* a, double order, const int64_t* dims, int32_t n, int32_t keep),
          at::linalg_vector_norm(*a, order, dims ? at::OptionalIntArrayRef(sx::sizes(dims, n)) : at::OptionalIntArrayRef(), keep != 0))
SX_TENSOR(sx_linalg_norm, (const Tensor* a, Scalar order, const int64_t* dims, int32_t n, int32_t keep),
          at::linalg_norm(*a, order.optional(), dims ? at::OptionalIntArrayRef(sx::sizes(dims, n)) : at::OptionalIntArrayRef(), keep != 0))

namespace {
Tensor* pair(std::tuple<Tensor, Tensor>&& both, Tensor** second) {
  auto first = new Tensor(std::move(std::get<0>(both)));
  *second = new Tensor(std::move(std::get<1>(both)));
  return first;
}
}  // namespace

#define PAIR(name, params, ...) SX_API Tensor* name params { try { return pair(__VA_ARGS__, second); } catch (...) { sx::remember_error(); return nullptr; } }
PAIR(sx_max_dim, (const Tensor* a, int64_t dim, int32_t keep, Tensor** second), a->max(dim, keep != 0))
PAIR(sx_min_dim, (const Tensor* a, int64_t dim, int32_t keep, Tensor** second), a->min(dim, keep != 0))
PAIR(sx_sort, (const Tensor* a, int64_t dim, int32_t descending, int32_t stable, Tensor** second), a->sort(Optional<bool>(stable != 0), dim, descending != 0))
PAIR(sx_topk, (const Tensor* a, int64_t k, int64_t dim, int32_t largest, int32_t sorted, Tensor** second), a->topk(k, dim, largest != 0, sorted != 0))
