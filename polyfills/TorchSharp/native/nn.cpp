// What torch.nn and torch.nn.functional stand on: layers, activations, losses, padding, resizing.
#include "shim.h"

SX_TENSOR(sx_linear, (const Tensor* x, const Tensor* weight, const Tensor* bias), at::linear(*x, *weight, sx::optional(bias)))
SX_TENSOR(sx_conv2d, (const Tensor* x, const Tensor* weight, const Tensor* bias, const int64_t* stride, int32_t ns, const int64_t* padding, int32_t np,
                      const int64_t* dilation, int32_t nd, int64_t groups),
          at::conv2d(*x, *weight, sx::optional(bias), sx::sizes(stride, ns), sx::sizes(padding, np), sx::sizes(dilation, nd), groups))
SX_TENSOR(sx_conv2d_padding, (const Tensor* x, const Tensor* weight, const Tensor* bias, const int64_t* stride, int32_t ns, int32_t same,
                              const int64_t* dilation, int32_t nd, int64_t groups),
          at::conv2d(*x, *weight, sx::optional(bias), sx::sizes(stride, ns), same ? "same" : "valid", sx::sizes(dilation, nd), groups))
SX_TENSOR(sx_group_norm, (const Tensor* x, int64_t groups, const Tensor* weight, const Tensor* bias, double eps),
          at::group_norm(*x, groups, sx::optional(weight), sx::optional(bias), eps))
SX_TENSOR(sx_layer_norm, (const Tensor* x, const int64_t* shape, int32_t n, const Tensor* weight, const Tensor* bias, double eps),
          at::layer_norm(*x, sx::sizes(shape, n), sx::optional(weight), sx::optional(bias), eps))
SX_TENSOR(sx_embedding, (const Tensor* weight, const Tensor* indices, int64_t padding, int32_t scale_by_freq, int32_t sparse),
          at::embedding(*weight, *indices, padding, scale_by_freq != 0, sparse != 0))
SX_VOID(sx_embedding_renorm_, (Tensor* weight, const Tensor* indices, double max_norm, double norm_type), {
  at::NoGradGuard no_grad;
  at::embedding_renorm_(*weight, *indices, max_norm, norm_type);
})

SX_TENSOR(sx_silu, (const Tensor* x), at::silu(*x))
SX_VOID(sx_silu_, (Tensor* x), at::silu_(*x))
SX_TENSOR(sx_gelu, (const Tensor* x, int32_t tanh), at::gelu(*x, tanh ? "tanh" : "none"))
SX_VOID(sx_gelu_, (Tensor* x, int32_t tanh), at::gelu_(*x, tanh ? "tanh" : "none"))
SX_TENSOR(sx_softplus, (const Tensor* x, double beta, double threshold), at::softplus(*x, beta, threshold))
SX_TENSOR(sx_leaky_relu, (const Tensor* x, Scalar slope), at::leaky_relu(*x, slope.value()))
SX_TENSOR(sx_dropout, (const Tensor* x, double p, int32_t training, int32_t inplace), [&] {
  if (!inplace) return at::dropout(*x, p, training != 0);
  Tensor same = *x;
  return at::dropout_(same, p, training != 0);
}())
SX_TENSOR(sx_one_hot, (const Tensor* x, int64_t classes), at::one_hot(*x, classes))
SX_TENSOR(sx_normalize, (const Tensor* x, double p, int64_t dim, double eps), *x / x->norm(p, {dim}, true).clamp_min(eps).expand_as(*x))
SX_TENSOR(sx_avg_pool2d, (const Tensor* x, const int64_t* kernel, int32_t nk, const int64_t* stride, int32_t ns, const int64_t* padding, int32_t np,
                          int32_t ceil_mode, int32_t count_include_pad, int64_t divisor),
          at::avg_pool2d(*x, sx::sizes(kernel, nk), sx::sizes(stride, ns), sx::sizes(padding, np), ceil_mode != 0, count_include_pad != 0,
                         divisor == 0 ? Optional<int64_t>() : Optional<int64_t>(divisor)))
SX_TENSOR(sx_max_pool2d, (const Tensor* x, const int64_t* kernel, int32_t nk, const int64_t* stride, int32_t ns, const int64_t* padding, int32_t np,
                          const int64_t* dilation, int32_t nd, int32_t ceil_mode),
          at::max_pool2d(*x, sx::sizes(kernel, nk), sx::sizes(stride, ns), sx::sizes(padding, np), sx::sizes(dilation, nd), ceil_mode != 0))

// reduction: 0 none, 1 mean, 2 sum, as at::Reduction counts them
SX_TENSOR(sx_mse_loss, (const Tensor* x, const Tensor* y, int64_t reduction), at::mse_loss(*x, *y, reduction))
SX_TENSOR(sx_l1_loss, (const Tensor* x, const Tensor* y, int64_t reduction), at::l1_loss(*x, *y, reduction))
SX_TENSOR(sx_smooth_l1_loss, (const Tensor* x, const Tensor* y, int64_t reduction, double beta), at::smooth_l1_loss(*x, *y, reduction, beta))
SX_TENSOR(sx_huber_loss, (const Tensor* x, const Tensor* y, int64_t reduction, double delta), at::huber_loss(*x, *y, reduction, delta))

SX_TENSOR(sx_scaled_dot_product_attention, (const Tensor* q, const Tensor* k, const Tensor* v, const Tensor* mask, double p, int32_t causal),
#if TORCH_VERSION_MAJOR >= 2
          at::scaled_dot_product_attention(*q, *k, *v, sx::optional(mask), p, causal != 0)
#else
          // 1.13 has the operation only under this name; the second result (the weights) is not asked for.
          std::get<0>(at::_scaled_dot_product_attention(*q, *k, *v, sx::optional(mask), p, false, causal != 0))
#endif
)

/// mode: 0 and 4 constant, 1 reflect, 2 replicate, 3 circular
SX_TENSOR(sx_pad, (const Tensor* x, const int64_t* pad, int32_t n, int32_t mode, double value), [&] {
  static const char* const names[] = {"constant", "reflect", "replicate", "circular", "constant"};
  bool constant = mode == 0 || mode == 4;
  return at::pad(*x, sx::sizes(pad, n), names[mode], constant ? Optional<double>(value) : Optional<double>());
}())

namespace {
enum Mode { Nearest, Linear, Bilinear, Bicubic, Trilinear, Area, NearestExact };

/// torch.nn.functional.interpolate. align: -1 not said, 0 no, 1 yes.
Tensor interpolate(const Tensor& x, at::IntArrayRef size, at::ArrayRef<double> scale, int32_t mode, int32_t align, bool recompute, bool antialias) {
  const int64_t dims = x.dim() - 2;
  TORCH_CHECK(dims >= 1 && dims <= 3, "Input Error: Only 3D, 4D and 5D input Tensors supported (got ", x.dim(), "D)");
  TORCH_CHECK(size.empty() != scale.empty(), "only one of size or scale_factor should be defined");
  TORCH_CHECK(size.size() <= 1 || static_cast<int64_t>(size.size()) == dims, "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of ",
              x.sizes().slice(2), " and output size of ", size);
  TORCH_CHECK(scale.size() <= 1 || static_cast<int64_t>(scale.size()) == dims, "scale_factor shape must match input shape. Input is ", dims, "D, scale_factor size is ", scale.size());
  bool aligns = mode == Linear || mode == Bilinear || mode == Bicubic || mode == Trilinear;
  TORCH_CHECK(aligns || align < 0, "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
  TORCH_CHECK(!antialias || ((mode == Bilinear || mode == Bicubic) && dims == 2), "Anti-alias option is only supported for bilinear and bicubic modes");

  std::vector<int64_t> out(dims);
  std::vector<Optional<double>> factors(dims);
  for (int64_t i = 0; i < dims; i++) {
    if (size.empty()) {
      double factor = scale[scale.size() == 1 ? 0 : i];
      out[i] = static_cast<int64_t>(std::floor(static_cast<double>(static_cast<float>(x.size(i + 2))) * factor));
      // Without recomputing, the kernels use the factor as given, not out/in.
      if (!recompute) factors[i] = factor;
    } else {
      out[i] = size[size.size() == 1 ? 0 : i];
    }
  }
  const bool corners = align == 1;
  switch (mode) {
    case Nearest:
      if (dims == 1) return at::upsample_nearest1d(x, out, factors[0]);
      if (dims == 2) return at::upsample_nearest2d(x, out, factors[0], factors[1]);
      return at::upsample_nearest3d(x, out, factors[0], factors[1], factors[2]);
    case NearestExact:
      if (dims == 1) return at::_upsample_nearest_exact1d(x, out, factors[0]);
      if (dims == 2) return at::_upsample_nearest_exact2d(x, out, factors[0], factors[1]);
      return at::_upsample_nearest_exact3d(x, out, factors[0], factors[1], factors[2]);
    case Area:
      if (dims == 1) return at::adaptive_avg_pool1d(x, out);
      if (dims == 2) return at::adaptive_avg_pool2d(x, out);
      return at::adaptive_avg_pool3d(x, out);
    case Linear:
      TORCH_CHECK(dims == 1, "Got ", x.dim(), "D input, but linear mode needs 3D input");
      return at::upsample_linear1d(x, out, corners, factors[0]);
    case Bilinear:
      TORCH_CHECK(dims == 2, "Got ", x.dim(), "D input, but bilinear mode needs 4D input");
      return antialias ? at::_upsample_bilinear2d_aa(x, out, corners, factors[0], factors[1]) : at::upsample_bilinear2d(x, out, corners, factors[0], factors[1]);
    case Bicubic:
      TORCH_CHECK(dims == 2, "Got ", x.dim(), "D input, but bicubic mode needs 4D input");
      return antialias ? at::_upsample_bicubic2d_aa(x, out, corners, factors[0], factors[1]) : at::upsample_bicubic2d(x, out, corners, factors[0], factors[1]);
    default:
      TORCH_CHECK(dims == 3, "Got ", x.dim(), "D input, but trilinear mode needs 5D input");
      return at::upsample_trilinear3d(x, out, corners, factors[0], factors[1], factors[2]);
  }
}
}  // namespace

SX_TENSOR(sx_interpolate, (const Tensor* x, const int64_t* size, int32_t n, const double* scale, int32_t m, int32_t mode, int32_t align, int32_t recompute, int32_t antialias),
          interpolate(*x, sx::sizes(size, n), at::ArrayRef<double>(scale, m), mode, align, recompute != 0, antialias != 0))
