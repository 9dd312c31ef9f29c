// The file system calls of addon-types.ts (FileSystemCalls).
#pragma once

#include <napi.h>

namespace theta {

/// Adds them to `exports`.
void export_file_system_calls(Napi::Env env, Napi::Object exports);

}  // namespace theta
