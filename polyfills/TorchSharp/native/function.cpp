// Differentiable functions whose forward and backward are written in C#: torch.autograd.SingleTensorFunction and MultiTensorFunction.
#include "shim.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cstdlib>

namespace {
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the managed side said about the failure that its callback is about to report on this thread.
thread_local std::string managed_failure;

/// What the managed forward gives back; the arrays are malloc'ed and the handles borrowed.
struct ForwardResult {
  Tensor** outputs;
  Tensor** saved;
  Tensor** dirty;
  Tensor** constant;
  int32_t output_count, saved_count, dirty_count, constant_count, materialize;
};

/// The managed side of one application. Each callback returns 0 or, after an exception, 1.
struct Callbacks {
  int32_t (*forward)(void* state, ForwardResult* result);
  int32_t (*backward)(void* state, Tensor** grads, int32_t count, Tensor** saved, int32_t saved_count, Tensor** results);
  void (*release)(void* state);
};

/// Lets the managed state go when the node dies, whichever thread that happens on.
struct State : torch::CustomClassHolder {
  Callbacks callbacks;
  void* managed;
  State(Callbacks c, void* m) : callbacks(c), managed(m) {}
  ~State() override { callbacks.release(managed); }
};

variable_list borrow(Tensor** handles, int32_t count) {
  variable_list result;
  for (int32_t i = 0; i < count; i++) result.push_back(handles[i] ? *handles[i] : Tensor());
  std::free(handles);
  return result;
}

struct ManagedFunction : torch::autograd::Function<ManagedFunction> {
  static variable_list forward(AutogradContext* ctx, const c10::intrusive_ptr<State>& state, at::TensorList inputs) {
    ctx->saved_data["state"] = at::IValue::make_capsule(state);
    ctx->saved_data["inputs"] = static_cast<int64_t>(inputs.size());
    ForwardResult result{};
    if (state->callbacks.forward(state->managed, &result)) throw std::runtime_error("the managed forward failed");
    ctx->set_materialize_grads(result.materialize != 0);
    ctx->save_for_backward(borrow(result.saved, result.saved_count));
    ctx->mark_dirty(borrow(result.dirty, result.dirty_count));
    ctx->mark_non_differentiable(borrow(result.constant, result.constant_count));
    return borrow(result.outputs, result.output_count);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto capsule = ctx->saved_data["state"].toCapsule();
    auto state = static_cast<State*>(capsule.get());
    auto saved = ctx->get_saved_variables();
    auto own = [](const variable_list& tensors) {
      std::vector<Tensor*> handles;
      for (const auto& t : tensors) handles.push_back(t.defined() ? new Tensor(t) : nullptr);
      return handles;
    };
    auto grad_handles = own(grads), saved_handles = own(saved);
    std::vector<Tensor*> results(ctx->saved_data["inputs"].toInt());
    if (state->callbacks.backward(state->managed, grad_handles.data(), static_cast<int32_t>(grad_handles.size()), saved_handles.data(),
                                  static_cast<int32_t>(saved_handles.size()), results.data()))
      throw std::runtime_error(managed_failure);
    variable_list gradients{Tensor()};  // of the state
    for (auto handle : results) gradients.push_back(handle ? *handle : Tensor());
    return gradients;
  }
};
}  // namespace

SX_API void sx_function_failed(const char* message) { managed_failure = message; }

/// Applies a managed function; `state` is released exactly once, on failure too.
SX_API Tensor** sx_function_apply(void* state, const Callbacks* callbacks, Tensor* const* inputs, int32_t n, int32_t* count) {
  try {
    auto holder = c10::make_intrusive<State>(*callbacks, state);
    auto list = sx::list(inputs, n);
    return sx::hand_over(ManagedFunction::apply(holder, at::TensorList(list)), count);
  } catch (...) {
    sx::remember_error();
    return nullptr;
  }
}
