// With the registers of AVX-512, of which there are 32, four messages.

#include "sha256_ni_body.h"

namespace theta {

const Sha256Kernel kSha256Avx512 = {"sha-ni-avx512", 4, {advance<1>, advance<2>, advance<3>, advance<4>}};

}  // namespace theta
