// The C face of libtorch that polyfills/TorchSharp calls. Only public ATen and autograd headers, so that the same
// sources compile against Debian's libtorch 1.13 and against newer releases, with and without CUDA.
//
// Conventions
// - A tensor handle is an at::Tensor* that the caller owns and gives back with sx_free_tensor.
// - A function that makes a tensor returns null on failure; one that does not returns 0 for success and 1 for failure.
//   The message of a failure waits, per thread, in sx_last_error.
// - Sizes travel as (pointer, count); absent optional tensors are null; absent optional scalars have kind 0.
#pragma once
#include <ATen/ATen.h>
#include <torch/version.h>

#include <cstdint>
#include <string>

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 5)
#include <optional>
template <class T> using Optional = std::optional<T>;
#else
template <class T> using Optional = c10::optional<T>;
#endif

#define SX_API extern "C" __attribute__((visibility("default")))

using at::Tensor;

/// A number on its way in: kind 0 absent, 1 floating point, 2 integer, 3 boolean; bits hold a double or an int64.
struct Scalar {
  int64_t bits;
  int64_t kind;

  bool present() const { return kind != 0; }
  double real() const { double d; static_assert(sizeof d == sizeof bits, "double is 64 bits"); __builtin_memcpy(&d, &bits, sizeof d); return d; }
  at::Scalar value() const {
    switch (kind) {
      case 1: return at::Scalar(real());
      case 2: return at::Scalar(bits);
      case 3: return at::Scalar(bits != 0);
      default: throw std::invalid_argument("a number is required here, found none");
    }
  }
  Optional<at::Scalar> optional() const { return present() ? Optional<at::Scalar>(value()) : Optional<at::Scalar>(); }
};

namespace sx {

/// Keeps the message of the exception in flight for sx_last_error; call it only inside a catch block.
void remember_error() noexcept;

template <class F> Tensor* make(F&& f) noexcept {
  try { return new Tensor(f()); } catch (...) { remember_error(); return nullptr; }
}

template <class F> int32_t run(F&& f) noexcept {
  try { f(); return 0; } catch (...) { remember_error(); return 1; }
}

inline at::IntArrayRef sizes(const int64_t* data, int32_t count) { return at::IntArrayRef(data, count); }
inline Optional<Tensor> optional(const Tensor* t) { return t ? Optional<Tensor>(*t) : Optional<Tensor>(); }
inline at::ScalarType type(int8_t t) { return static_cast<at::ScalarType>(t); }
inline Optional<at::ScalarType> optional_type(int8_t t) { return t < 0 ? Optional<at::ScalarType>() : Optional<at::ScalarType>(type(t)); }
inline at::Device device(int32_t kind, int32_t index) { return at::Device(static_cast<at::DeviceType>(kind), static_cast<at::DeviceIndex>(index)); }
inline Optional<at::Generator> generator(const at::Generator* g) { return g ? Optional<at::Generator>(*g) : Optional<at::Generator>(); }

inline std::vector<Tensor> list(Tensor* const* tensors, int32_t count) {
  std::vector<Tensor> result;
  result.reserve(count);
  for (int32_t i = 0; i < count; i++) result.push_back(*tensors[i]);
  return result;
}

/// Hands a list over as an array of handles (an undefined tensor becomes null); the caller frees it with sx_free_array.
Tensor** hand_over(const std::vector<Tensor>& tensors, int32_t* count);

}  // namespace sx

// SX_TENSOR: a function that makes a tensor. SX_VOID: one that works in place.
#define SX_TENSOR(name, params, ...) SX_API Tensor* name params { return sx::make([&]() -> Tensor { return __VA_ARGS__; }); }
#define SX_VOID(name, params, ...) SX_API int32_t name params { return sx::run([&] { __VA_ARGS__; }); }
