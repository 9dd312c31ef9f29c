// The engine as a JavaScript object: tasks become promises. The only file that hands results from threads to V8.
#pragma once

#include <napi.h>

#include <memory>
#include <unordered_map>

#include "../engine/engine.h"

namespace theta {

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  /// Makes the class known to this environment; create() needs it.
  static void define(Napi::Env env);
  static Napi::Value create(const Napi::CallbackInfo& info);

  explicit EngineObject(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value needs(const Napi::CallbackInfo& info);
  Napi::Value progress(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  /// Settles the promises of what has ended. Only on the JavaScript thread.
  void settle_finished(Napi::Env env);
  /// Joins the threads and lets go of the queue to JavaScript; promises that are left are settled.
  void shut_down(Napi::Env env);

  /// The environment ends: joins the threads; nobody is left to be told.
  static void on_exit(void* self);

  static void on_notified(Napi::Env env, Napi::Function, EngineObject* self, void*);
  using Notifier = Napi::TypedThreadSafeFunction<EngineObject, void, on_notified>;

  /// Keeps the process and this object alive exactly while promises are open.
  void hold(Napi::Env env);
  void let_go(Napi::Env env);

  Notifier notifier_;
  std::unique_ptr<Engine> engine_;
  /// A task that is not finished; kept, because threads read the bytes that a find task points to.
  struct Open {
    Napi::Promise::Deferred promise;
    Napi::Reference<Napi::Value> task;
  };
  std::unordered_map<uint64_t, Open> open_;
  uint64_t next_id_ = 0;
};

}  // namespace theta
