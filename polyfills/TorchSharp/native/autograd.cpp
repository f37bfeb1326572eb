// Gradients, random generators, threads and devices.
#include "shim.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>

#include <dlfcn.h>

#include <cmath>

// ---- gradients
SX_VOID(sx_set_requires_grad, (Tensor* t, int32_t yes), t->set_requires_grad(yes != 0))
SX_VOID(sx_retain_grad, (Tensor* t), t->retain_grad())
SX_API Tensor* sx_grad(const Tensor* t) {
  try {
    Tensor g = t->grad();
    return g.defined() ? new Tensor(g) : nullptr;
  } catch (...) {
    sx::remember_error();
    return nullptr;
  }
}
SX_VOID(sx_set_grad, (Tensor* t, const Tensor* grad), grad ? void(t->mutable_grad() = *grad) : t->mutable_grad().reset())

namespace {
std::vector<Tensor> maybe_list(Tensor* const* tensors, int32_t count) {
  std::vector<Tensor> result;
  for (int32_t i = 0; i < count; i++) result.push_back(tensors[i] ? *tensors[i] : Tensor());
  return result;
}
}  // namespace

SX_VOID(sx_backward, (Tensor* const* tensors, int32_t n, Tensor* const* grads, int32_t m, int32_t retain, int32_t create, Tensor* const* inputs, int32_t k),
        torch::autograd::backward(sx::list(tensors, n), maybe_list(grads, m), Optional<bool>(retain != 0), create != 0, sx::list(inputs, k)))
SX_API Tensor** sx_autograd_grad(Tensor* const* outputs, int32_t n, Tensor* const* inputs, int32_t k, Tensor* const* grads, int32_t m, int32_t retain, int32_t create,
                                 int32_t allow_unused, int32_t* count) {
  try {
    return sx::hand_over(torch::autograd::grad(sx::list(outputs, n), sx::list(inputs, k), maybe_list(grads, m), Optional<bool>(retain != 0), create != 0, allow_unused != 0), count);
  } catch (...) {
    sx::remember_error();
    return nullptr;
  }
}
SX_API int32_t sx_grad_mode() { return c10::GradMode::is_enabled(); }
SX_API void sx_set_grad_mode(int32_t on) { c10::GradMode::set_enabled(on != 0); }
SX_API void* sx_enter_inference_mode(int32_t on) { return new c10::InferenceMode(on != 0); }
SX_API void sx_leave_inference_mode(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }
SX_API int32_t sx_inference_mode() { return c10::InferenceMode::is_enabled(); }

/// Scales all gradients by max_norm / (norm + 1e-6) where their joint norm exceeds max_norm; tells the norm before. (torch/nn/utils/clip_grad.h)
SX_VOID(sx_clip_grad_norm_, (Tensor* const* tensors, int32_t count, double max_norm, double norm_type, double* norm), {
  std::vector<Tensor> grads;
  for (int32_t i = 0; i < count; i++)
    if (tensors[i]->grad().defined()) grads.push_back(tensors[i]->grad().detach());
  *norm = 0;
  if (grads.empty()) return;
  std::vector<Tensor> norms;
  for (const auto& g : grads) norms.push_back(std::isinf(norm_type) ? g.abs().max() : g.norm(norm_type));
  Tensor all = at::stack(norms);
  Tensor total = norms.size() == 1 ? norms[0] : std::isinf(norm_type) ? all.max() : all.norm(norm_type);
  *norm = total.item().toDouble();
  Tensor factor = (max_norm / (total + 1e-6)).clamp(Optional<at::Scalar>(), Optional<at::Scalar>(1.0));
  for (auto& g : grads) g.mul_(factor);
})

// ---- random generators
SX_API at::Generator* sx_generator_new(uint64_t seed, int32_t kind, int32_t index) {
  try {
    if (kind == 0) return new at::Generator(at::detail::createCPUGenerator(seed));
    auto made = at::globalContext().defaultGenerator(sx::device(kind, index)).clone();
    made.set_current_seed(seed);
    return new at::Generator(made);
  } catch (...) {
    sx::remember_error();
    return nullptr;
  }
}
SX_API at::Generator* sx_generator_default() { return new at::Generator(at::globalContext().defaultGenerator(at::kCPU)); }
SX_API void sx_generator_free(at::Generator* g) { delete g; }
SX_TENSOR(sx_generator_state, (const at::Generator* g), g->get_state())
SX_VOID(sx_generator_set_state, (at::Generator* g, const Tensor* state), g->set_state(*state))
SX_VOID(sx_generator_seed, (at::Generator* g, int64_t seed), {
  std::lock_guard<std::mutex> lock(g->mutex());
  g->set_current_seed(static_cast<uint64_t>(seed));
})
SX_API int64_t sx_generator_initial_seed(const at::Generator* g) { return static_cast<int64_t>(g->current_seed()); }
SX_VOID(sx_manual_seed, (int64_t seed), at::manual_seed(static_cast<uint64_t>(seed)))

// ---- threads and devices
SX_API int32_t sx_get_num_threads() { return at::get_num_threads(); }
/// torch with MKL sets MKL's threads along with its own. Debian's torch computes with OpenBLAS, which has a pool of its own whose threads spin while they wait.
SX_VOID(sx_set_num_threads, (int32_t n), {
  at::set_num_threads(n);
  if (void* blas = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_NOLOAD)) {
    if (auto set = reinterpret_cast<void (*)(int)>(dlsym(blas, "openblas_set_num_threads"))) set(n);
    dlclose(blas);
  }
})
SX_API int32_t sx_get_num_interop_threads() { return at::get_num_interop_threads(); }
SX_VOID(sx_set_num_interop_threads, (int32_t n), at::set_num_interop_threads(n))
SX_API int32_t sx_cuda_is_available() { int32_t yes = 0; sx::run([&] { yes = torch::cuda::is_available(); }); return yes; }
SX_API int32_t sx_cudnn_is_available() { int32_t yes = 0; sx::run([&] { yes = torch::cuda::cudnn_is_available(); }); return yes; }
SX_API int32_t sx_cuda_device_count() { int32_t n = 0; sx::run([&] { n = static_cast<int32_t>(torch::cuda::device_count()); }); return n; }
SX_VOID(sx_cuda_synchronize, (int64_t device), torch::cuda::synchronize(device))
SX_VOID(sx_cuda_manual_seed, (int64_t seed), torch::cuda::manual_seed(static_cast<uint64_t>(seed)))
SX_VOID(sx_cuda_manual_seed_all, (int64_t seed), torch::cuda::manual_seed_all(static_cast<uint64_t>(seed)))
SX_API int32_t sx_allow_tf32(int32_t cudnn) { return cudnn ? at::globalContext().allowTF32CuDNN() : at::globalContext().allowTF32CuBLAS(); }
SX_VOID(sx_set_allow_tf32, (int32_t cudnn, int32_t yes), cudnn ? at::globalContext().setAllowTF32CuDNN(yes != 0) : at::globalContext().setAllowTF32CuBLAS(yes != 0))
