// JavaScript's task objects (addon-types.ts) as the engine's.
#pragma once

#include "../engine/engine.h"
#include "fields.h"

namespace theta {

/// Throws Error(input) naming the field that is wrong.
Task decode_task(const Field& task);

/// Of any task.
uint32_t decode_group(const Field& task);

EngineOptions decode_engine_options(const Field& options, Isa isa);

}  // namespace theta
