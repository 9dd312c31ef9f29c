// The kernels for -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512.
#define THETA_ISA kernels_avx512
#define THETA_ISA_NAME "avx512"
#include "kernels_body.h"
