// Three messages are what sixteen registers are enough for.

#include "sha256_ni_body.h"

namespace theta {

const Sha256Kernel kSha256Ni = {"sha-ni", 3, {advance<1>, advance<2>, advance<3>}};

}  // namespace theta
