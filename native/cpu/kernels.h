// The inner loops, one table an instruction set. Every table gives the same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace theta {

/// Best last within an architecture.
enum class Isa : uint8_t { plain, avx2, avx512, neon };

struct KernelTable;

/// Instruction sets that this build has and this CPU can run, best first; `plain` is always the last.
const std::vector<Isa>& supported_isas();
/// `isa` must be supported.
const KernelTable& kernels_for(Isa isa);
const char* isa_name(Isa isa);
std::optional<Isa> isa_of(std::string_view name);

/// Rounding to nearest even, denormals kept, no traps: for the calling thread. A library built with -ffast-math may
/// have changed it for the process.
void set_default_floating_point_environment();

}  // namespace theta
