// What every formula file shares: how a function of one element is marked for CPU and CUDA, and the integer type of W's
// bits. Always inlined on the CPU: the same header is compiled for several instruction sets, and a shared out-of-line
// copy could be one that this CPU cannot run.
#pragma once

#include <bit>
#include <cstdint>

#ifdef __CUDACC__
#define THETA_HD __host__ __device__ __forceinline__
#else
#define THETA_HD inline __attribute__((always_inline))
#endif

namespace theta {

template <typename W>
struct BitsOfWork;
template <>
struct BitsOfWork<float> {
  using Type = uint32_t;
};
template <>
struct BitsOfWork<double> {
  using Type = uint64_t;
};

/// Unsigned integer as wide as W: W's bits, its keys, and the lanes of its masks (all ones or zero).
template <typename W>
using Bits = typename BitsOfWork<W>::Type;

}  // namespace theta
