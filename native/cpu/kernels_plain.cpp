// The kernels for the architecture's baseline (SSE2, or NEON on arm64).
#define THETA_ISA kernels_plain
#define THETA_ISA_NAME "plain"
#include "kernels_body.h"
