// JavaScript's operation objects (compiler/tensor-graph.ts, Operation) as the core's.
#pragma once

#include "../program.h"
#include "fields.h"

namespace theta {

/// Checks every field and that operands are earlier positions and inputs exist; which kinds of value an operation
/// takes is the core's to check. Throws Error(input).
Program decode_program(const Field& operations, int64_t inputs);

}  // namespace theta
