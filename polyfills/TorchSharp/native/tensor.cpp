// Life and properties of a tensor, its factories, views, indexing and joining.
#include "shim.h"

#include <ATen/TensorIndexing.h>

#include <cstdlib>
#include <cstring>

namespace {
thread_local std::string last_error;
}

void sx::remember_error() noexcept {
  try {
    throw;
  } catch (const c10::Error& e) {
    last_error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown native exception";
  }
  if (last_error.empty()) last_error = "native exception without a message";
}

Tensor** sx::hand_over(const std::vector<Tensor>& tensors, int32_t* count) {
  auto handles = static_cast<Tensor**>(std::malloc(sizeof(Tensor*) * (tensors.empty() ? 1 : tensors.size())));
  for (size_t i = 0; i < tensors.size(); i++) handles[i] = tensors[i].defined() ? new Tensor(tensors[i]) : nullptr;
  *count = static_cast<int32_t>(tensors.size());
  return handles;
}

/// The message of this thread's last failure, or null. Reading it clears it; the text lives until the next failure.
SX_API const char* sx_last_error() {
  static thread_local std::string told;
  if (last_error.empty()) return nullptr;
  told.swap(last_error);
  last_error.clear();
  return told.c_str();
}

SX_API const char* sx_version() { return TORCH_VERSION; }
SX_API void sx_free_tensor(Tensor* t) { delete t; }
SX_API void sx_free_array(void* array) { std::free(array); }

// ---- properties
SX_API int64_t sx_ndim(const Tensor* t) { return t->dim(); }
SX_API int64_t sx_numel(const Tensor* t) { return t->numel(); }
SX_API int64_t sx_element_size(const Tensor* t) { return t->element_size(); }
SX_API int8_t sx_dtype(const Tensor* t) { return static_cast<int8_t>(t->scalar_type()); }
SX_API int32_t sx_device_type(const Tensor* t) { return static_cast<int32_t>(t->device().type()); }
SX_API int32_t sx_device_index(const Tensor* t) { return t->device().index(); }
SX_API int32_t sx_requires_grad(const Tensor* t) { return t->requires_grad(); }
SX_API int32_t sx_is_leaf(const Tensor* t) { return t->is_leaf(); }
SX_API int32_t sx_is_contiguous(const Tensor* t) { return t->is_contiguous(); }
SX_API int32_t sx_is_pinned(const Tensor* t) { int32_t yes = 0; sx::run([&] { yes = t->is_pinned(); }); return yes; }
SX_API int64_t sx_storage_offset(const Tensor* t) { return t->storage_offset(); }
SX_API void sx_sizes(const Tensor* t, int64_t* out) { for (auto s : t->sizes()) *out++ = s; }
SX_API void sx_strides(const Tensor* t, int64_t* out) { for (auto s : t->strides()) *out++ = s; }
SX_VOID(sx_size, (const Tensor* t, int64_t dim, int64_t* out), *out = t->size(dim))
SX_VOID(sx_stride, (const Tensor* t, int64_t dim, int64_t* out), *out = t->stride(dim))
SX_API void* sx_data(const Tensor* t) { void* p = nullptr; sx::run([&] { p = t->data_ptr(); }); return p; }
SX_VOID(sx_item, (const Tensor* t, Scalar* out), {
  at::Scalar s = t->item();
  if (s.isBoolean()) { out->kind = 3; out->bits = s.toBool(); }
  else if (s.isIntegral(false)) { out->kind = 2; out->bits = s.toLong(); }
  else { out->kind = 1; double d = s.toDouble(); std::memcpy(&out->bits, &d, sizeof d); }
})
SX_VOID(sx_equal, (const Tensor* a, const Tensor* b, int32_t* out), *out = a->equal(*b))
SX_VOID(sx_allclose, (const Tensor* a, const Tensor* b, double rtol, double atol, int32_t equal_nan, int32_t* out), *out = a->allclose(*b, rtol, atol, equal_nan != 0))
SX_VOID(sx_is_nonzero, (const Tensor* t, int32_t* out), *out = t->is_nonzero())

// ---- copies and conversions
SX_TENSOR(sx_alias, (const Tensor* t), *t)
SX_TENSOR(sx_clone, (const Tensor* t), t->clone())
SX_TENSOR(sx_contiguous, (const Tensor* t), t->contiguous())
SX_TENSOR(sx_pin_memory, (const Tensor* t), t->pin_memory())
SX_TENSOR(sx_detach, (const Tensor* t), t->detach())
SX_VOID(sx_detach_, (Tensor* t), t->detach_())
SX_TENSOR(sx_to_type, (const Tensor* t, int8_t type, int32_t copy, int32_t non_blocking), t->to(sx::type(type), non_blocking != 0, copy != 0))
SX_TENSOR(sx_to_device, (const Tensor* t, int32_t kind, int32_t index, int32_t copy, int32_t non_blocking), t->to(sx::device(kind, index), non_blocking != 0, copy != 0))
SX_TENSOR(sx_to_device_type, (const Tensor* t, int8_t type, int32_t kind, int32_t index, int32_t copy, int32_t non_blocking),
          t->to(sx::device(kind, index), sx::type(type), non_blocking != 0, copy != 0))
SX_VOID(sx_copy_, (Tensor* t, const Tensor* source, int32_t non_blocking), t->copy_(*source, non_blocking != 0))
SX_VOID(sx_set_data, (Tensor* t, const Tensor* data), t->set_data(*data))
SX_VOID(sx_set_, (Tensor* t, const Tensor* source), t->set_(*source))

// ---- factories
#define OPTIONS int8_t type, int32_t kind, int32_t index, int32_t requires_grad
#define SIZES const int64_t* data, int32_t n
namespace {
at::TensorOptions options(int8_t type, int32_t kind, int32_t index) { return at::TensorOptions().dtype(sx::type(type)).device(sx::device(kind, index)); }
Tensor leaf(Tensor t, int32_t requires_grad) { return requires_grad ? t.set_requires_grad(true) : t; }
}  // namespace
#define MADE(...) leaf(__VA_ARGS__, requires_grad)
#define OPTS options(type, kind, index)
SX_TENSOR(sx_empty, (SIZES, OPTIONS), MADE(at::empty(sx::sizes(data, n), OPTS)))
SX_TENSOR(sx_zeros, (SIZES, OPTIONS), MADE(at::zeros(sx::sizes(data, n), OPTS)))
SX_TENSOR(sx_ones, (SIZES, OPTIONS), MADE(at::ones(sx::sizes(data, n), OPTS)))
SX_TENSOR(sx_full, (SIZES, Scalar value, OPTIONS), MADE(at::full(sx::sizes(data, n), value.value(), OPTS)))
SX_TENSOR(sx_eye, (int64_t rows, int64_t columns, OPTIONS), MADE(columns < 0 ? at::eye(rows, OPTS) : at::eye(rows, columns, OPTS)))
SX_TENSOR(sx_arange, (Scalar start, Scalar stop, Scalar step, OPTIONS), MADE(at::arange(start.value(), stop.value(), step.value(), OPTS)))
SX_TENSOR(sx_linspace, (double start, double end, int64_t steps, OPTIONS), MADE(at::linspace(start, end, steps, OPTS)))
SX_TENSOR(sx_logspace, (double start, double end, int64_t steps, double base, OPTIONS), MADE(at::logspace(start, end, steps, base, OPTS)))
SX_TENSOR(sx_rand, (const at::Generator* g, SIZES, OPTIONS), MADE(at::rand(sx::sizes(data, n), sx::generator(g), OPTS)))
SX_TENSOR(sx_randn, (const at::Generator* g, SIZES, OPTIONS), MADE(at::randn(sx::sizes(data, n), sx::generator(g), OPTS)))
SX_TENSOR(sx_randint, (const at::Generator* g, int64_t low, int64_t high, SIZES, OPTIONS), MADE(at::randint(low, high, sx::sizes(data, n), sx::generator(g), OPTS)))
SX_TENSOR(sx_randperm, (const at::Generator* g, int64_t count, OPTIONS), MADE(at::randperm(count, sx::generator(g), OPTS)))
SX_TENSOR(sx_empty_like, (const Tensor* t, OPTIONS), MADE(at::empty_like(*t, OPTS)))
SX_TENSOR(sx_zeros_like, (const Tensor* t, OPTIONS), MADE(at::zeros_like(*t, OPTS)))
SX_TENSOR(sx_ones_like, (const Tensor* t, OPTIONS), MADE(at::ones_like(*t, OPTS)))
SX_TENSOR(sx_full_like, (const Tensor* t, Scalar value, OPTIONS), MADE(at::full_like(*t, value.value(), OPTS)))
SX_TENSOR(sx_rand_like, (const Tensor* t, OPTIONS), MADE(at::rand_like(*t, OPTS)))
SX_TENSOR(sx_randn_like, (const Tensor* t, OPTIONS), MADE(at::randn_like(*t, OPTS)))
SX_TENSOR(sx_randint_like, (const Tensor* t, int64_t low, int64_t high, OPTIONS), MADE(at::randint_like(*t, low, high, OPTS)))
/// Wraps pinned managed memory of type `given`; `release(context)` runs when the last user is gone. Converts or moves it where asked.
SX_TENSOR(sx_from_memory, (void* memory, void (*release)(void*), void* context, SIZES, int8_t given, OPTIONS), [&] {
  Tensor t = at::from_blob(memory, sx::sizes(data, n), [release, context](void*) { release(context); }, at::TensorOptions().dtype(sx::type(given)));
  if (kind != 0 || given != type) t = t.to(sx::device(kind, index), sx::type(type));
  return leaf(t, requires_grad);
}())
SX_VOID(sx_normal_, (Tensor* t, double mean, double std, const at::Generator* g), t->normal_(mean, std, sx::generator(g)))
SX_VOID(sx_uniform_, (Tensor* t, double low, double high, const at::Generator* g), t->uniform_(low, high, sx::generator(g)))
SX_VOID(sx_random_, (Tensor* t, int64_t low, int64_t high, const at::Generator* g), t->random_(low, high, sx::generator(g)))
SX_VOID(sx_bernoulli_, (Tensor* t, double p, const at::Generator* g), t->bernoulli_(p, sx::generator(g)))
SX_TENSOR(sx_bernoulli, (const Tensor* t, const at::Generator* g), t->bernoulli(sx::generator(g)))
SX_TENSOR(sx_multinomial, (const Tensor* t, int64_t samples, int32_t replacement, const at::Generator* g), t->multinomial(samples, replacement != 0, sx::generator(g)))

// ---- views and shapes
SX_TENSOR(sx_view, (const Tensor* t, SIZES), t->view(sx::sizes(data, n)))
SX_TENSOR(sx_reshape, (const Tensor* t, SIZES), t->reshape(sx::sizes(data, n)))
SX_TENSOR(sx_permute, (const Tensor* t, SIZES), t->permute(sx::sizes(data, n)))
SX_TENSOR(sx_expand, (const Tensor* t, SIZES, int32_t implicit), t->expand(sx::sizes(data, n), implicit != 0))
SX_TENSOR(sx_broadcast_to, (const Tensor* t, SIZES), t->broadcast_to(sx::sizes(data, n)))
SX_TENSOR(sx_repeat, (const Tensor* t, SIZES), t->repeat(sx::sizes(data, n)))
SX_TENSOR(sx_tile, (const Tensor* t, SIZES), t->tile(sx::sizes(data, n)))
SX_TENSOR(sx_flip, (const Tensor* t, SIZES), t->flip(sx::sizes(data, n)))
SX_TENSOR(sx_roll, (const Tensor* t, SIZES, const int64_t* dims, int32_t m), t->roll(sx::sizes(data, n), sx::sizes(dims, m)))
SX_TENSOR(sx_as_strided, (const Tensor* t, SIZES, const int64_t* strides, int32_t m, int64_t offset), t->as_strided(sx::sizes(data, n), sx::sizes(strides, m), offset))
SX_TENSOR(sx_unflatten, (const Tensor* t, int64_t dim, SIZES), t->unflatten(dim, sx::sizes(data, n)))
SX_TENSOR(sx_movedim, (const Tensor* t, SIZES, const int64_t* to, int32_t m), t->movedim(sx::sizes(data, n), sx::sizes(to, m)))
SX_TENSOR(sx_flatten, (const Tensor* t, int64_t first, int64_t last), t->flatten(first, last))
SX_TENSOR(sx_transpose, (const Tensor* t, int64_t a, int64_t b), t->transpose(a, b))
SX_VOID(sx_transpose_, (Tensor* t, int64_t a, int64_t b), t->transpose_(a, b))
SX_TENSOR(sx_t, (const Tensor* t), t->t())
SX_TENSOR(sx_unsqueeze, (const Tensor* t, int64_t dim), t->unsqueeze(dim))
SX_VOID(sx_unsqueeze_, (Tensor* t, int64_t dim), t->unsqueeze_(dim))
SX_TENSOR(sx_squeeze, (const Tensor* t), t->squeeze())
SX_TENSOR(sx_squeeze_dim, (const Tensor* t, int64_t dim), t->squeeze(dim))
SX_VOID(sx_squeeze_, (Tensor* t), t->squeeze_())
SX_VOID(sx_squeeze__dim, (Tensor* t, int64_t dim), t->squeeze_(dim))
SX_TENSOR(sx_select, (const Tensor* t, int64_t dim, int64_t i), t->select(dim, i))
SX_TENSOR(sx_narrow, (const Tensor* t, int64_t dim, int64_t start, int64_t length), t->narrow(dim, start, length))
SX_TENSOR(sx_slice, (const Tensor* t, int64_t dim, int64_t start, int64_t end, int64_t step), t->slice(dim, start, end, step))
SX_TENSOR(sx_tril, (const Tensor* t, int64_t diagonal), t->tril(diagonal))
SX_TENSOR(sx_triu, (const Tensor* t, int64_t diagonal), t->triu(diagonal))
SX_VOID(sx_tril_, (Tensor* t, int64_t diagonal), t->tril_(diagonal))
SX_VOID(sx_triu_, (Tensor* t, int64_t diagonal), t->triu_(diagonal))
SX_TENSOR(sx_diag, (const Tensor* t, int64_t diagonal), t->diag(diagonal))
SX_TENSOR(sx_repeat_interleave, (const Tensor* t, int64_t repeats, const int64_t* dim, const int64_t* size),
          t->repeat_interleave(repeats, dim ? Optional<int64_t>(*dim) : Optional<int64_t>(), size ? Optional<int64_t>(*size) : Optional<int64_t>()))
SX_TENSOR(sx_repeat_interleave_tensor, (const Tensor* t, const Tensor* repeats, const int64_t* dim, const int64_t* size),
          t->repeat_interleave(*repeats, dim ? Optional<int64_t>(*dim) : Optional<int64_t>(), size ? Optional<int64_t>(*size) : Optional<int64_t>()))

// ---- picking and placing
SX_TENSOR(sx_index_select, (const Tensor* t, int64_t dim, const Tensor* index), t->index_select(dim, *index))
SX_TENSOR(sx_gather, (const Tensor* t, int64_t dim, const Tensor* index), t->gather(dim, *index))
SX_TENSOR(sx_take_along_dim, (const Tensor* t, const Tensor* index, int64_t dim), t->take_along_dim(*index, dim))
SX_TENSOR(sx_scatter, (const Tensor* t, int64_t dim, const Tensor* index, const Tensor* source), t->scatter(dim, *index, *source))
SX_VOID(sx_scatter_, (Tensor* t, int64_t dim, const Tensor* index, const Tensor* source), t->scatter_(dim, *index, *source))
SX_TENSOR(sx_scatter_add, (const Tensor* t, int64_t dim, const Tensor* index, const Tensor* source), t->scatter_add(dim, *index, *source))
SX_VOID(sx_scatter_add_, (Tensor* t, int64_t dim, const Tensor* index, const Tensor* source), t->scatter_add_(dim, *index, *source))
SX_TENSOR(sx_index_add, (const Tensor* t, int64_t dim, const Tensor* index, const Tensor* source, Scalar alpha), t->index_add(dim, *index, *source, alpha.value()))
SX_VOID(sx_index_add_, (Tensor* t, int64_t dim, const Tensor* index, const Tensor* source, Scalar alpha), t->index_add_(dim, *index, *source, alpha.value()))
SX_TENSOR(sx_index_copy, (const Tensor* t, int64_t dim, const Tensor* index, const Tensor* source), t->index_copy(dim, *index, *source))
SX_VOID(sx_index_copy_, (Tensor* t, int64_t dim, const Tensor* index, const Tensor* source), t->index_copy_(dim, *index, *source))
SX_TENSOR(sx_index_fill, (const Tensor* t, int64_t dim, const Tensor* index, Scalar value), t->index_fill(dim, *index, value.value()))
SX_VOID(sx_index_fill_, (Tensor* t, int64_t dim, const Tensor* index, Scalar value), t->index_fill_(dim, *index, value.value()))
SX_TENSOR(sx_masked_fill, (const Tensor* t, const Tensor* mask, Scalar value), t->masked_fill(*mask, value.value()))
SX_VOID(sx_masked_fill_, (Tensor* t, const Tensor* mask, Scalar value), t->masked_fill_(*mask, value.value()))
SX_TENSOR(sx_masked_select, (const Tensor* t, const Tensor* mask), t->masked_select(*mask))
SX_TENSOR(sx_masked_scatter, (const Tensor* t, const Tensor* mask, const Tensor* source), t->masked_scatter(*mask, *source))
SX_VOID(sx_masked_scatter_, (Tensor* t, const Tensor* mask, const Tensor* source), t->masked_scatter_(*mask, *source))
SX_TENSOR(sx_where, (const Tensor* condition, const Tensor* a, const Tensor* b), at::where(*condition, *a, *b))

/// One part of an index expression. kind: 0 None, 1 single, 2 ellipsis, 3 boolean, 4 tensor, 5 slice; has: bit 0 start, bit 1 stop, bit 2 step.
struct IndexPart {
  int64_t kind, has, start, stop, step;
  Tensor* tensor;
};

namespace {
std::vector<at::indexing::TensorIndex> indices(const IndexPart* parts, int32_t count) {
  using namespace at::indexing;
  std::vector<TensorIndex> result;
  result.reserve(count);
  for (int32_t i = 0; i < count; i++) {
    const auto& p = parts[i];
    auto bound = [&](int bit, int64_t value) { return p.has >> bit & 1 ? Optional<int64_t>(value) : Optional<int64_t>(); };
    switch (p.kind) {
      case 0: result.emplace_back(None); break;
      case 1: result.emplace_back(p.start); break;
      case 2: result.emplace_back(at::indexing::Ellipsis); break;
      case 3: result.emplace_back(p.start != 0); break;
      case 4: result.emplace_back(*p.tensor); break;
#if TORCH_VERSION_MAJOR >= 2
      default: {
        auto symbolic = [&](int bit, int64_t value) { return p.has >> bit & 1 ? Optional<c10::SymInt>(c10::SymInt(value)) : Optional<c10::SymInt>(); };
        result.emplace_back(Slice(symbolic(0, p.start), symbolic(1, p.stop), symbolic(2, p.step)));
      }
#else
      default: result.emplace_back(Slice(bound(0, p.start), bound(1, p.stop), bound(2, p.step)));
#endif
    }
  }
  return result;
}

c10::List<Optional<Tensor>> tensor_indices(Tensor* const* tensors, int32_t count) {
  c10::List<Optional<Tensor>> result;
  for (int32_t i = 0; i < count; i++) result.push_back(sx::optional(tensors[i]));
  return result;
}
}  // namespace

SX_TENSOR(sx_index, (const Tensor* t, const IndexPart* parts, int32_t count), t->index(indices(parts, count)))
SX_VOID(sx_index_put_, (Tensor* t, const IndexPart* parts, int32_t count, const Tensor* value), t->index_put_(indices(parts, count), *value))
SX_VOID(sx_index_put_scalar_, (Tensor* t, const IndexPart* parts, int32_t count, Scalar value), t->index_put_(indices(parts, count), value.value()))
SX_VOID(sx_index_put_tensors_, (Tensor* t, Tensor* const* where, int32_t count, const Tensor* value, int32_t accumulate),
        t->index_put_(tensor_indices(where, count), *value, accumulate != 0))

// ---- joining and parting
SX_TENSOR(sx_cat, (Tensor* const* tensors, int32_t count, int64_t dim), at::cat(sx::list(tensors, count), dim))
SX_TENSOR(sx_stack, (Tensor* const* tensors, int32_t count, int64_t dim), at::stack(sx::list(tensors, count), dim))
#define MANY(name, params, ...) \
  SX_API Tensor** name params { try { return sx::hand_over(__VA_ARGS__, count); } catch (...) { sx::remember_error(); return nullptr; } }
MANY(sx_chunk, (const Tensor* t, int64_t chunks, int64_t dim, int32_t* count), t->chunk(chunks, dim))
MANY(sx_split, (const Tensor* t, int64_t size, int64_t dim, int32_t* count), t->split(size, dim))
MANY(sx_split_sizes, (const Tensor* t, SIZES, int64_t dim, int32_t* count), t->split_with_sizes(sx::sizes(data, n), dim))
MANY(sx_unbind, (const Tensor* t, int64_t dim, int32_t* count), t->unbind(dim))
MANY(sx_meshgrid, (Tensor* const* tensors, int32_t given, const char* indexing, int32_t* count), at::meshgrid(sx::list(tensors, given), indexing))
