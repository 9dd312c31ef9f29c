// See engine_object.h.

#include "engine_object.h"

#include "decode_task.h"
#include "encode_result.h"
#include "errors.h"
#include "variant.h"

namespace theta {
namespace {

/// What each environment (the main thread, a worker thread of Node) has of its own.
struct PerEnvironment {
  Napi::FunctionReference engine_class;
};

}  // namespace

void EngineObject::define(Napi::Env env) {
  auto* data = new PerEnvironment;
  data->engine_class = Napi::Persistent(
      DefineClass(env, "Engine",
                  {InstanceMethod<&EngineObject::run>("run"), InstanceMethod<&EngineObject::needs>("needs"),
                   InstanceMethod<&EngineObject::progress>("progress"), InstanceMethod<&EngineObject::cancel>("cancel"),
                   InstanceMethod<&EngineObject::close>("close")}));
  env.SetInstanceData(data);
}

Napi::Value EngineObject::create(const Napi::CallbackInfo& info) {
  return info.Env().GetInstanceData<PerEnvironment>()->engine_class.New({info[0]});
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info) {
  const Napi::Env env = info.Env();
  guarded(env, [&] {
    const EngineOptions options = decode_engine_options(Field(info[0], "options"), chosen_isa(env));
    notifier_ = Notifier::New(env, "theta engine", 0, 1, this);
    notifier_.Unref(env);
    try {
      engine_ = std::make_unique<Engine>(options, [this] { notifier_.NonBlockingCall(); });
    } catch (...) {
      notifier_.Abort();
      throw;
    }
    // Added after the notifier, so it runs before Node takes that away: process.exit() in the middle of work is no
    // race.
    napi_add_env_cleanup_hook(env, on_exit, this);
  });
}

void EngineObject::Finalize(Napi::Env env) {
  // A collected engine has no open promise (they hold it), so this joins idle threads.
  if (engine_ != nullptr) shut_down(env);
}

Napi::Value EngineObject::run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto deferred = Napi::Promise::Deferred::New(env);
  try {
    if (engine_ == nullptr) throw Error(ErrorCode::input, "the engine is closed");
    const uint64_t id = next_id_++;
    const Field task(info[0], "task");
    Task decoded = decode_task(task);
    const uint32_t group = decode_group(task);
    Open open{deferred, Napi::Reference<Napi::Value>::New(info[0], 1)};
    engine_->submit(id, std::move(decoded), group);
    if (open_.empty()) hold(env);
    open_.emplace(id, std::move(open));
  } catch (...) {
    deferred.Reject(task_error(env, std::current_exception()).Value());
  }
  return deferred.Promise();
}

Napi::Value EngineObject::needs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (engine_ == nullptr) throw Error(ErrorCode::input, "the engine is closed");
    const Task task = decode_task(Field(info[0], "task"));
    const TaskNeeds needs = engine_->needs(task);
    Napi::Object object = Napi::Object::New(info.Env());
    object["memory"] = Napi::Number::New(info.Env(), static_cast<double>(needs.memory));
    object["scratch"] = Napi::Number::New(info.Env(), static_cast<double>(needs.scratch));
    object["atOnce"] = Napi::Number::New(info.Env(), engine_->at_once(task));
    return object;
  });
}

Napi::Value EngineObject::progress(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (engine_ == nullptr) throw Error(ErrorCode::input, "the engine is closed");
    return encode_progress(info.Env(), engine_->progress());
  });
}

void EngineObject::cancel(const Napi::CallbackInfo&) {
  if (engine_ != nullptr) engine_->cancel();
}

void EngineObject::close(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) shut_down(info.Env());
}

void EngineObject::on_notified(Napi::Env env, Napi::Function, EngineObject* self, void*) {
  // Without an environment the process is ending: nobody is left to be told.
  if (env != nullptr && self->engine_ != nullptr) self->settle_finished(env);
}

void EngineObject::settle_finished(Napi::Env env) {
  const Napi::HandleScope scope(env);
  for (const auto& job : engine_->take_finished()) {
    auto node = open_.extract(job->id);
    if (node.empty()) continue;
    if (job->error != nullptr) {
      node.mapped().promise.Reject(task_error(env, job->error).Value());
    } else {
      node.mapped().promise.Resolve(encode_result(env, job->result));
    }
    if (open_.empty()) let_go(env);
  }
}

void EngineObject::shut_down(Napi::Env env) {
  engine_->close();
  settle_finished(env);
  napi_remove_env_cleanup_hook(env, on_exit, this);
  engine_.reset();
  notifier_.Abort();
}

void EngineObject::on_exit(void* data) {
  auto* self = static_cast<EngineObject*>(data);
  self->engine_.reset();
  self->notifier_.Abort();
}

void EngineObject::hold(Napi::Env env) {
  notifier_.Ref(env);
  Ref();
}

void EngineObject::let_go(Napi::Env env) {
  notifier_.Unref(env);
  Unref();
}

}  // namespace theta
