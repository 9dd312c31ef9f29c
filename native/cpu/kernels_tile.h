// What kernels with temporaries share. Included once an instruction set.
#pragma once

#include <cstdint>

namespace theta::THETA_ISA {
namespace {

/// Elements that a kernel with temporaries works on at once: they stay in the first-level cache, mostly in registers.
constexpr int64_t kTile = 64;

}  // namespace
}  // namespace theta::THETA_ISA
