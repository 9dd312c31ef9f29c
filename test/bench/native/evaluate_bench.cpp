// What the compute core costs an output element, without files and digests: base and three fine-tunes in bfloat16, one
// tensor. Build it with the sources listed in native/sources.json; arguments: rows, columns, memory in MiB, part of
// a recipe's name, part of a variant's name, repetitions (the fastest counts).
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

#include "cpu/evaluate.h"
#include "formula/rounding.h"

namespace {

using namespace theta;

struct MemorySource final : ChunkSource {
  std::vector<std::vector<uint16_t>> inputs;
  void read(std::span<const ReadRequest> requests) override {
    for (const ReadRequest& request : requests) {
      const auto* from = reinterpret_cast<const std::byte*>(inputs[request.input].data());
      std::memcpy(request.to, from + request.begin, static_cast<size_t>(request.bytes));
    }
  }
};

struct NullSink final : ChunkSink {
  uint64_t sum = 0;
  std::vector<std::byte> chunk;
  std::byte* place(int64_t, int64_t bytes) override {
    chunk.resize(static_cast<size_t>(bytes));
    return chunk.data();
  }
  void write(int64_t, const std::byte* from, int64_t bytes) override {
    for (int64_t i = 0; i + 8 <= bytes; i += 4096) {
      uint64_t word;
      std::memcpy(&word, from + i, sizeof word);
      sum = mix64(sum + word);
    }
  }
};

/// All that is measured has room in memory.
struct NullScratch final : ScratchSpace {
  void write(int64_t, std::span<const std::byte>) override { std::abort(); }
  void read(int64_t, std::span<std::byte>) override { std::abort(); }
  void stop_if_cancelled() override {}
};

constexpr int kModels = 3;

/// Fine-tunes as they are found: a normal weight, a small normal change, both rounded to bfloat16.
MemorySource models(int64_t count) {
  MemorySource source;
  source.inputs.assign(kModels + 1, std::vector<uint16_t>(static_cast<size_t>(count)));
  std::minstd_rand generator(7);
  std::normal_distribution<float> weight(0, 0.02f), change(0, 8e-4f);
  std::vector<float> table(1 << 16);
  for (float& x : table) x = weight(generator);
  std::vector<float> changes(1 << 16);
  for (float& x : changes) x = change(generator);
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t random = mix64(static_cast<uint64_t>(i));
    const float base = widen<Bf16, float>(narrow<Bf16>(table[random & 0xffff]));
    source.inputs[0][static_cast<size_t>(i)] = narrow<Bf16>(base);
    for (int k = 1; k <= kModels; ++k) {
      const float tuned = base + changes[random >> (16 * k) & 0xffff];
      source.inputs[static_cast<size_t>(k)][static_cast<size_t>(i)] = narrow<Bf16>(tuned);
    }
  }
  return source;
}

/// Of this thread alone: other work on the machine disturbs it least.
double thread_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// onto(base, combine(masked vectors))
Program vectors(const std::vector<Operation>& masks, const Operation& combine, bool inv = false) {
  Program program;
  auto& ops = program.operations;
  ops.push_back(Load{0, false});
  std::vector<ValueId> of;
  for (int32_t k = 1; k <= kModels; ++k) {
    ops.push_back(Load{k, false});
    ops.push_back(Subtract{static_cast<ValueId>(ops.size()) - 1, 0});
    auto value = static_cast<ValueId>(ops.size()) - 1;
    if (!masks.empty()) {
      Operation mask = masks[static_cast<size_t>(k - 1) % masks.size()];
      if (auto* magnitude = std::get_if<Magnitude>(&mask)) magnitude->of = value;
      if (auto* crumbs = std::get_if<Breadcrumbs>(&mask)) crumbs->of = value;
      if (auto* della = std::get_if<Della>(&mask)) della->of = value;
      if (auto* cut = std::get_if<ModelCut>(&mask)) cut->of = value;
      ops.push_back(mask);
      const ValueId mask_id = value + 1;
      if (inv) ops.push_back(RescaleDella{value, mask_id});
      ops.push_back(Select{inv ? mask_id + 1 : value, mask_id});
      value = static_cast<ValueId>(ops.size()) - 1;
      if (const auto* random = std::get_if<Random>(&mask)) {
        ops.push_back(RescaleInv{value, random->density});
        ++value;
      }
    }
    of.push_back(value);
  }
  Operation last = combine;
  if (auto* sum = std::get_if<Sum>(&last)) sum->of = of;
  if (auto* ties = std::get_if<Ties>(&last)) ties->of = of;
  ops.push_back(last);
  ops.push_back(Onto{0, static_cast<ValueId>(ops.size()) - 1});
  return program;
}

/// onto(base, sce(vectors))
Program sce() {
  const std::vector<ValueId> of = {2, 4, 6};
  Program program = vectors({}, Sum{});
  auto& ops = program.operations;
  ops.resize(7);
  ops.push_back(Variance{of});
  ops.push_back(Largest{7, 0.1, 99});
  ops.push_back(Sce{of, 8});
  ops.push_back(Onto{0, 9});
  return program;
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t rows = argc > 1 ? std::atoll(argv[1]) : 2048, columns = argc > 2 ? std::atoll(argv[2]) : 5632;
  const int64_t memory = (argc > 3 ? std::atoll(argv[3]) : 160) << 20;
  const char* only = argc > 4 ? argv[4] : "";
  const char* only_isa = argc > 5 ? argv[5] : "";
  const int repeats = argc > 6 ? std::atoi(argv[6]) : 3;
  set_default_floating_point_environment();
  MemorySource source = models(rows * columns);
  const std::vector<double> weights{0.7, 0.5, 0.3};
  const Sum sum{{}, weights, 1};
  const Ties ties{{}, weights, 1, Elect::weighted, DivideBy::weights};
  Program linear;
  for (int32_t k = 0; k <= kModels; ++k) linear.operations.push_back(Load{k, false});
  const Ties unweighed{{}, {1, 1, 1}, 1, Elect::weighted, DivideBy::none};
  Program slerp = linear, fusion = linear;
  fusion.operations.resize(2);
  fusion.operations.insert(fusion.operations.end(), {Subtract{1, 0}, Divergence{2, 0}, ArceeFusion{2, 3}, Onto{0, 4}});
  linear.operations.push_back(Linear{{0, 1, 2, 3}, {0.4, 0.3, 0.2, 0.1}, true});
  slerp.operations.resize(2);
  slerp.operations.push_back(Slerp{0, 1, 0.4, Group::tensor});
  const std::pair<const char*, Program> recipes[] = {
      {"linear", linear},
      {"slerp", slerp},
      {"task arithmetic", vectors({}, sum)},
      {"ties unmasked", vectors({}, ties)},
      {"ties 0.2 tensor", vectors({Magnitude{0, 0.2, Group::tensor, false, 99}}, ties)},
      {"breadcrumbs row", vectors({Breadcrumbs{0, 0.15, 0.006, Group::row, false, 99}}, sum)},
      {"breadcrumbs tensor", vectors({Breadcrumbs{0, 0.15, 0.006, Group::tensor, false, 99}}, sum)},
      {"random", vectors({Random{0.5, 7, 3}}, sum)},
      {"random ties", vectors({Random{0.3, 7, 3}}, unweighed)},
      {"ties cut", vectors({ModelCut{0, 99, {0x3a90'0000, 0x8000'0000'0000'0000}, {~uint64_t{0}, 0}}}, ties)},
      {"sce 0.1", sce()},
      {"arcee fusion", fusion},
      {"della row", vectors({Della{0, 0.5, 0.15, Group::row, 7, 3, 99}}, sum)},
      {"della inv row", vectors({Della{0, 0.5, 0.15, Group::row, 7, 3, 99}}, sum, true)},
      {"della inv tensor", vectors({Della{0, 0.5, 0.15, Group::tensor, 7, 3, 99}}, sum, true)},
  };
  const TensorDesc tensor{Dtype::bf16, {rows, columns}, rows * columns * 2};
  Arena arena;
  const std::atomic<bool> cancelled{false};
  for (const auto& [name, program] : recipes) {
    if (!std::strstr(name, only)) continue;
    std::printf("%-20s", name);
    for (const Isa isa : supported_isas()) {
      if (!std::strstr(isa_name(isa), only_isa)) continue;
      const TaskSpec task{program, std::vector<TensorDesc>(program.operations.size() == 3 || program.operations.size() == 6 ? 2 : kModels + 1, tensor),
                          tensor, Work::f32, Overflow::inf};
      double best = 1e9;
      for (int repeat = 0; repeat < repeats; ++repeat) {
        NullSink sink;
        NullScratch scratch;
        const double start = thread_seconds();
        evaluate(task, source, sink, scratch, arena, {memory, 1 << 20}, kernels_for(isa), cancelled);
        best = std::min(best, thread_seconds() - start);
      }
      std::printf("  %s %5.2f", isa_name(isa), best / static_cast<double>(rows * columns) * 1e9);
    }
    std::printf("  ns/element\n");
  }
}
