// What JavaScript asks of windows that several tensors share.
#pragma once

#include <napi.h>

namespace theta {

void export_window_calls(Napi::Env env, Napi::Object exports);

}  // namespace theta
