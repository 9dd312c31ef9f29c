// The kernels for -mavx2.
#define THETA_ISA kernels_avx2
#define THETA_ISA_NAME "avx2"
#include "kernels_body.h"
