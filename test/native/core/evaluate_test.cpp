// Promises of the evaluator that hold for every program: the same bits for every chunk size, memory limit and
// instruction set, each byte read in order and written once, memory within the limit, errors thrown and not crashed on.
// That the bits are the right ones is for the golden cases (golden.test.ts).

#include "cpu/evaluate.h"

#include <algorithm>

#include "../check.h"
#include "formula/rounding.h"
#include "memory_scratch.h"
#include "samples.h"

namespace {

using namespace theta;

struct MemorySource final : ChunkSource {
  std::vector<std::vector<std::byte>> inputs;
  /// How far first reads, and those for digests, have come.
  std::vector<int64_t> read_to, hashed_to;
  std::atomic<bool>* cancels = nullptr;
  bool in_order = true;

  void read(std::span<const ReadRequest> requests) override {
    for (const ReadRequest& request : requests) {
      note(request);
      std::copy_n(stored(request), request.bytes, request.to);
    }
    if (cancels) *cancels = true;
  }
  void revisit(std::span<const ReadRequest> requests) override {
    for (const ReadRequest& request : requests) {
      note(request);
      in_order = in_order && request.for_digest && std::equal(request.to, request.to + request.bytes, stored(request));
    }
  }

  std::vector<std::byte>::const_iterator stored(const ReadRequest& request) const {
    return inputs[static_cast<size_t>(request.input)].begin() + request.begin;
  }
  void note(const ReadRequest& request) {
    read_to.resize(inputs.size());
    hashed_to.resize(inputs.size());
    int64_t &read = read_to[static_cast<size_t>(request.input)],
            &hashed = hashed_to[static_cast<size_t>(request.input)];
    const int64_t end = request.begin + request.bytes;
    in_order = in_order && (request.first ? request.begin == read : end <= read);
    in_order = in_order && (!request.for_digest || request.begin == hashed);
    if (request.first) read = end;
    if (request.for_digest) hashed = end;
  }
};

struct MemorySink final : ChunkSink {
  std::vector<std::byte> chunk, written;
  bool in_order = true;
  std::byte* place(int64_t, int64_t bytes) override {
    chunk.assign(static_cast<size_t>(bytes), std::byte{0xa5});
    return chunk.data();
  }
  void write(int64_t begin, const std::byte* from, int64_t bytes) override {
    in_order = in_order && from == chunk.data() && begin == static_cast<int64_t>(written.size());
    written.insert(written.end(), from, from + bytes);
  }
};

std::vector<std::byte> bf16_bytes(int64_t count, unsigned seed) {
  std::vector<std::byte> bytes;
  for (const float x : theta_test::numbers<float>(count, seed, true)) {
    const uint16_t bits = narrow<Bf16, float>(x);
    bytes.push_back(static_cast<std::byte>(bits & 0xff));
    bytes.push_back(static_cast<std::byte>(bits >> 8));
  }
  return bytes;
}

TensorDesc bf16_tensor(std::vector<int64_t> shape) {
  const int64_t bytes = elements(shape) * 2;
  return {Dtype::bf16, std::move(shape), bytes};
}

/// Two masks of different groups, one combined, sums over the tensor and a strategy: all kinds of passes.
Program everything() {
  return {{Load{0, false},
           Load{1, false},
           Subtract{1, 0},
           Magnitude{2, 0.3, Group::tensor, false, 5},
           Breadcrumbs{2, 0.5, 0.1, Group::row, true, 6},
           MaskAnd{3, 4},
           Select{2, 5},
           RescaleL1{2, 6},
           Select{7, 5},
           Load{2, true},
           Subtract{9, 0},
           Magnitude{10, 0.2, Group::row, false, 7},
           Select{10, 11},
           Ties{{8, 12}, {0.6, 0.4}, 0.9, Elect::weighted, DivideBy::weights},
           Onto{0, 13},
           Slerp{14, 1, 0.3, Group::tensor},
           Slerp{15, 7, 1.2, Group::row},
           Karcher{{14, 15, 16, 1, 0}, {1, 0.5, 2, -1, 1}, 7, 1e-5},
           ModelStock{{7, 8, 12}, Group::row},
           ModelStock{{18, 2, 12}, Group::tensor},
           Nearswap{19, 0.5},
           Onto{17, 20}}};
}

/// The strategies that choose elements, on top of each other: sums of what a cut leaves, counts, rows that are kept.
Program choosing() {
  return {{Load{0, false},
           Load{1, false},
           Load{2, true},
           Subtract{1, 0},
           Subtract{2, 0},
           Magnitude{3, 0.7, Group::row, false, 5},
           Select{3, 5},
           Variance{{6, 4}},
           Largest{7, 0.3, 9},
           Sce{{6, 4}, 8},
           Sce{{6, 4, 9}, kNoValue},
           Ram{{6, 4}, 0.002},
           RamPlus{{6, 4, 11}, 0.002, 0.1, 0.2},
           Consensus{{3, 4, 12}, {0.5, 1, -0.25}, 0.8, 0.4, 2},
           Magmax{{9, 10, 12, 13}, 0.5},
           Divergence{14, 0},
           ArceeFusion{14, 15},
           Onto{0, 16},
           Subtract{17, 2},
           Divergence{18, 17},
           ArceeFusion{18, 19},
           Onto{17, 20},
           Extremes{6, 0.05},
           Extremes{4, 0},
           Extremes{12, 0.3},
           Pcb{{6, 4, 12}, {22, 23, 24}, {0.5, 0, -0.25}, 1.2, 0.1},
           Onto{21, 25}}};
}

struct Outcome {
  std::vector<std::byte> bytes;
  Counters counters;
};

Outcome run(const TaskSpec& task, MemorySource source, const EvaluateOptions& options, Isa isa) {
  MemorySink sink;
  Arena arena;
  theta_test::MemoryScratch scratch;
  const std::atomic<bool> cancelled{false};
  const Counters counters = evaluate(task, source, sink, scratch, arena, options, kernels_for(isa), cancelled);
  CHECK(source.in_order && sink.in_order);
  CHECK(static_cast<int64_t>(sink.written.size()) == task.output.bytes);
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    if (task.inputs[i].bytes == 0) continue;
    CHECK(source.read_to.size() > i && source.read_to[i] == task.inputs[i].bytes);
    CHECK(source.hashed_to[i] == task.inputs[i].bytes);
  }
  CHECK(needs_of(task, options).memory <= options.memory_bytes);
  CHECK(arena.capacity() <= std::max<int64_t>(needs_of(task, options).memory + (2 << 20), 4096));
  return {sink.written, counters};
}

ErrorCode refused(const TaskSpec& task, const EvaluateOptions& options = {64 << 20, 1 << 20}) {
  try {
    needs_of(task, options).memory;
  } catch (const Error& error) {
    return error.code;
  }
  CHECK(!"refused");
  return ErrorCode::cancelled;
}

void same_bits_everywhere(const Program& program) {
  // Of the last there are too many rows to keep something of each in little memory.
  for (const auto& shape : std::vector<std::vector<int64_t>>{
           {}, {0}, {5, 0}, {1}, {17}, {7, 1}, {257, 3}, {3, 5000}, {40, 5, 3}, {2, 70000}, {1000, 129}, {150000, 3}}) {
    const int64_t count = elements(shape);
    MemorySource source;
    for (unsigned seed = 0; seed < 4; ++seed) source.inputs.push_back(bf16_bytes(count, seed));
    // The last input is not looked at, but read.
    const TaskSpec task{program, std::vector<TensorDesc>(4, bf16_tensor(shape)), bf16_tensor(shape), Work::f32,
                        Overflow::inf};
    const Outcome expected = run(task, source, {int64_t{1} << 30, 1 << 20}, Isa::plain);
    for (const Isa isa : supported_isas()) {
      for (const auto& [memory, chunk] : {std::pair{64, 1 << 20}, {16, 1 << 16}, {16, 4096}, {256, 1 << 26}}) {
        const Outcome outcome = run(task, source, {int64_t{memory} << 20, chunk}, isa);
        CHECK(outcome.bytes == expected.bytes);
        CHECK(outcome.counters.antiparallel == expected.counters.antiparallel);
        CHECK(outcome.counters.masks.size() == expected.counters.masks.size());
        for (size_t i = 0; i < expected.counters.masks.size(); ++i) {
          CHECK(outcome.counters.masks[i].kept == expected.counters.masks[i].kept);
          CHECK(outcome.counters.masks[i].empty == expected.counters.masks[i].empty);
          CHECK(outcome.counters.masks[i].first_empty == expected.counters.masks[i].first_empty);
        }
      }
    }
  }
}

/// Three masked vectors: of a load, of a load without NaN, of a tensor with other rows. Each `folds` into one step in
/// the last pass, or its parts are stored in between.
Program masked_vectors(bool folds, Group per) {
  Program program{{Load{0, false}}};
  auto& ops = program.operations;
  const auto push = [&](Operation operation) {
    ops.push_back(operation);
    return static_cast<ValueId>(ops.size()) - 1;
  };
  const auto apart = [&](ValueId id) { return folds ? id : push(Negate{push(Negate{id})}); };
  const auto mask_apart = [&](ValueId id) { return folds ? id : push(MaskNot{push(MaskNot{id})}); };
  std::vector<ValueId> of;
  for (const Operation& loaded :
       {Operation{Load{1, false}}, Operation{Load{2, true}}, Operation{Resize{3, false, 0}}}) {
    const ValueId vector = push(Subtract{apart(push(loaded)), 0});
    const ValueId mask = push(Breadcrumbs{vector, 0.4, 0.1, per, false, 5});
    of.push_back(push(Select{apart(vector), mask_apart(mask)}));
  }
  push(Onto{0, push(Ties{of, {0.5, 0.3, 0.4}, 0.9, Elect::weighted, DivideBy::weights})});
  return program;
}

std::vector<std::byte> bytes_of(Dtype dtype, int64_t count, unsigned seed) {
  // Of finite numbers: which NaN comes out of two is up to the processor.
  const std::vector<double> x = theta_test::numbers<double>(count, seed, true);
  std::vector<std::byte> bytes(static_cast<size_t>(count * size_of(dtype)));
  kernels_for(Isa::plain).f64.narrow[static_cast<int>(dtype)](x.data(), bytes.data(), count);
  return bytes;
}

void folds_to_the_same_bits(Work work, const std::vector<Dtype>& dtypes, Group per) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{1, 1}, {7, 33}, {5, 4099}, {3, 70001}}) {
    TaskSpec task{{}, {}, {Dtype::f32, shape, elements(shape) * 4}, work, Overflow::inf};
    MemorySource source;
    for (size_t i = 0; i < dtypes.size(); ++i) {
      std::vector<int64_t> own = shape;
      if (i == 3) own.front() = (own.front() + 1) / 2;
      source.inputs.push_back(bytes_of(dtypes[i], elements(own), static_cast<unsigned>(i)));
      task.inputs.push_back({dtypes[i], own, elements(own) * size_of(dtypes[i])});
    }
    task.program = masked_vectors(false, per);
    const Outcome expected = run(task, source, {int64_t{1} << 30, 1 << 20}, Isa::plain);
    task.program = masked_vectors(true, per);
    for (const Isa isa : supported_isas()) {
      for (const auto& [memory, chunk] : {std::pair{64, 1 << 20}, {16, 1 << 16}, {16, 4096}}) {
        CHECK(run(task, source, {int64_t{memory} << 20, chunk}, isa).bytes == expected.bytes);
      }
    }
  }
}

}  // namespace

TEST(evaluate_folds_to_the_same_bits) {
  for (const Group per : {Group::row, Group::tensor}) {
    folds_to_the_same_bits(Work::f32, {Dtype::bf16, Dtype::bf16, Dtype::f16, Dtype::f32}, per);
    folds_to_the_same_bits(Work::f32, {Dtype::f32, Dtype::f32, Dtype::bf16, Dtype::f16}, per);
    folds_to_the_same_bits(Work::f64, {Dtype::f16, Dtype::f64, Dtype::f64, Dtype::bf16}, per);
    folds_to_the_same_bits(Work::f64, {Dtype::f64, Dtype::f32, Dtype::f8_e4m3, Dtype::f8_e5m2}, per);
  }
}

TEST(evaluate_same_bits_everywhere) { same_bits_everywhere(everything()); }
TEST(evaluate_choosing_same_bits_everywhere) { same_bits_everywhere(choosing()); }

TEST(evaluate_keeps_what_has_room) {
  MemorySource source;
  for (unsigned seed = 0; seed < 2; ++seed) source.inputs.push_back(bf16_bytes(1500000, seed));
  const TensorDesc tensor = bf16_tensor({3, 500000});
  for (const Group group : {Group::row, Group::tensor}) {
    const TaskSpec task{{{Load{0, false}, Load{1, false}, Slerp{0, 1, 0.3, group}}},
                        {tensor, tensor},
                        tensor,
                        Work::f32,
                        Overflow::inf};
    const Outcome expected = run(task, source, {int64_t{1} << 30, 1 << 20}, Isa::plain);
    // All of a group, some of it, nothing but the chunks.
    for (const int64_t kilobytes : {16384, 3000, 1000, 600}) {
      CHECK(run(task, source, {kilobytes << 10, 64 << 10}, Isa::plain).bytes == expected.bytes);
    }
  }
}

TEST(evaluate_stops_when_cancelled) {
  MemorySource source;
  for (unsigned seed = 0; seed < 3; ++seed) source.inputs.push_back(bf16_bytes(100000, seed));
  const TaskSpec task{everything(), std::vector<TensorDesc>(3, bf16_tensor({100, 1000})), bf16_tensor({100, 1000}),
                      Work::f32, Overflow::inf};
  std::atomic<bool> cancelled{false};
  source.cancels = &cancelled;
  MemorySink sink;
  Arena arena;
  theta_test::MemoryScratch scratch;
  bool stopped = false;
  try {
    evaluate(task, source, sink, scratch, arena, {64 << 20, 1 << 20}, kernels_for(Isa::plain), cancelled);
  } catch (const Error& error) {
    stopped = error.code == ErrorCode::cancelled;
  }
  CHECK(stopped && sink.written.empty());
}

TEST(evaluate_copies) {
  const std::vector<uint16_t> patterns = {0x3f80, 0x7f81, 0xffc1, 0x7f80, 0xff80, 0x8000};
  MemorySource source;
  const auto bytes = std::as_bytes(std::span(patterns));
  source.inputs.emplace_back(bytes.begin(), bytes.end());
  TaskSpec task{{{Load{0, false}}}, {bf16_tensor({6})}, bf16_tensor({6}), Work::f32, Overflow::saturate};
  for (const int64_t chunk : {2, 8, 1 << 20}) {
    const Outcome outcome = run(task, source, {1 << 20, chunk}, Isa::plain);
    const std::vector<uint16_t> expected = {0x3f80, 0x7fc0, 0x7fc0, 0x7f80, 0xff80, 0x8000};
    const auto expected_bytes = std::as_bytes(std::span(expected));
    CHECK(std::ranges::equal(outcome.bytes, expected_bytes));
    const InputCounters& counters = outcome.counters.inputs[0];
    CHECK(counters.nan == 2 && counters.first_nan == 1 && counters.inf == 2 && counters.first_inf == 3);
  }
  // A dtype that is not ours is taken over bit for bit.
  task = {{{Load{0, false}}}, {{std::nullopt, {12}, 12}}, {std::nullopt, {12}, 12}, Work::bytes, Overflow::inf};
  CHECK(run(task, source, {1 << 20, 8}, Isa::plain).bytes == source.inputs[0]);
}

TEST(evaluate_reads_a_shared_factor_once) {
  const TensorDesc a = bf16_tensor({2, 6}), b = bf16_tensor({4, 2}), out = bf16_tensor({4, 6});
  MemorySource source;
  for (const TensorDesc& tensor : {a, b, b}) source.inputs.push_back(bf16_bytes(elements(tensor.shape), 3));
  const uint16_t nan = 0x7fc0;
  std::copy_n(std::as_bytes(std::span(&nan, 1)).begin(), 2, source.inputs[0].begin());
  const TaskSpec task{
      {{Lora{0, 1, 2, 1, false}, Lora{0, 2, 2, 0.5, false}, Add{0, 1}}}, {a, b, b}, out, Work::f32, Overflow::inf};
  CHECK(run(task, source, {1 << 20, 1 << 20}, Isa::plain).counters.inputs[0].nan == 1);
}

TEST(evaluate_counts_overflow) {
  const std::vector<float> values = {1, 3e38f, -3e38f, INFINITY};
  MemorySource source;
  const auto bytes = std::as_bytes(std::span(values));
  source.inputs.emplace_back(bytes.begin(), bytes.end());
  const TensorDesc in{Dtype::f32, {4}, 16}, out{Dtype::f16, {4}, 8};
  for (const Overflow overflow : {Overflow::inf, Overflow::saturate}) {
    const TaskSpec task{{{Load{0, false}, Multiply{0, 2}}}, {in}, out, Work::f32, overflow};
    const Outcome outcome = run(task, source, {1 << 20, 1 << 20}, Isa::plain);
    const uint16_t big = overflow == Overflow::inf ? 0x7c00 : 0x7bff;
    const std::vector<uint16_t> expected = {0x4000, big, static_cast<uint16_t>(big | 0x8000), 0x7c00};
    CHECK(std::ranges::equal(outcome.bytes, std::as_bytes(std::span(expected))));
    CHECK(outcome.counters.overflow == 2 && outcome.counters.first_overflow == 1);
  }
}

TEST(evaluate_refuses) {
  const TensorDesc tensor = bf16_tensor({4});
  const auto task = [&](std::vector<Operation> operations) {
    return TaskSpec{{std::move(operations)}, {tensor}, tensor, Work::f32, Overflow::inf};
  };
  CHECK(refused(task({})) == ErrorCode::input);
  CHECK(refused(task({Load{1, false}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Negate{1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Negate{-1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Select{0, 0}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Magnitude{0, .5, Group::row, false, 1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Magnitude{0, .5, Group::row, false, 1}, Negate{1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Sce{{0}, 0}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Divergence{0, 0}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Extremes{0, 0.1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Extremes{0, 0.1}, Pcb{{0}, {0}, {1}, 1, 0.1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Divergence{0, 0}, Pcb{{0}, {1}, {1}, 1, 0.1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Extremes{0, 0.1}, ArceeFusion{0, 1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Divergence{0, 0}, Negate{1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, ArceeFusion{0, 0}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Mean{{0, 0}, {0.5, -0.5}, 1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Sum{{0, 0}, {0.5}, 1}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Lora{0, 0, 1, 1, false}})) == ErrorCode::input);
  CHECK(refused(task({Load{0, false}, Negate{0}}), {100, 1 << 20}) == ErrorCode::memory);
}
