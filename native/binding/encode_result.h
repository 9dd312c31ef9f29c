// What the engine answers, as JavaScript's TaskResult (addon-types.ts).
#pragma once

#include <napi.h>

#include "../engine/progress.h"
#include "../engine/task.h"

namespace theta {

Napi::Object encode_result(Napi::Env env, const TaskResult& result);

Napi::Object encode_progress(Napi::Env env, const Progress& progress);

}  // namespace theta
