// Which kernel tables this build has and this CPU can run.
#include "kernels.h"

#include "../error.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace theta {

namespace kernels_plain {
extern const KernelTable kTable;
}
#if defined(__x86_64__)
namespace kernels_avx2 {
extern const KernelTable kTable;
}
namespace kernels_avx512 {
extern const KernelTable kTable;
}
#endif

const std::vector<Isa>& supported_isas() {
  static const std::vector<Isa> isas = [] {
    std::vector<Isa> found;
#if defined(__x86_64__)
    const bool avx2 = __builtin_cpu_supports("avx2");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
      found.push_back(Isa::avx512);
    }
    if (avx2) found.push_back(Isa::avx2);
#elif defined(__aarch64__)
    found.push_back(Isa::neon);
#endif
    found.push_back(Isa::plain);
    return found;
  }();
  return isas;
}

const KernelTable& kernels_for(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx512:
      return kernels_avx512::kTable;
    case Isa::avx2:
      return kernels_avx2::kTable;
#endif
    default:  // NEON is the baseline of arm64: the plain kernels are vectorised for it.
      return kernels_plain::kTable;
  }
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::plain:
      return "plain";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::neon:
      return "neon";
  }
  return "plain";
}

std::optional<Isa> isa_of(std::string_view name) {
  for (const Isa isa : {Isa::plain, Isa::avx2, Isa::avx512, Isa::neon}) {
    if (name == isa_name(isa)) return isa;
  }
  return std::nullopt;
}

void set_default_floating_point_environment() {
#if defined(__x86_64__)
  _mm_setcsr(0x1f80);
#elif defined(__aarch64__)
  const uint64_t fpcr = 0;
  asm volatile("msr fpcr, %0" : : "r"(fpcr));
#endif
}

}  // namespace theta
