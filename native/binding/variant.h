// Which instruction set this process uses: the best one, or the one that THETA_ISA names.
#pragma once

#include <napi.h>

#include "../cpu/kernels.h"

namespace theta {

/// Throws a JavaScript Error with code "usage" when THETA_ISA names one that this build or CPU does not have.
Isa chosen_isa(Napi::Env env);

}  // namespace theta
