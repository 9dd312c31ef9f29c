// See decode_task.h.

#include "decode_task.h"

#include <algorithm>

#include "decode_operation.h"

namespace theta {
namespace {

constexpr std::pair<std::string_view, Work> kWork[] = {{"F32", Work::f32}, {"F64", Work::f64}, {"bytes", Work::bytes}};
constexpr std::pair<std::string_view, bool> kIsF64[] = {{"F32", false}, {"F64", true}};
constexpr std::pair<std::string_view, Overflow> kOverflow[] = {{"inf", Overflow::inf},
                                                               {"saturate", Overflow::saturate}};

/// Bits of an element, for the dtypes of the safetensors format; 0 for one that it does not have (yet).
int64_t element_bits(std::string_view dtype) {
  constexpr std::pair<std::string_view, int64_t> kBits[] = {
      {"F64", 64},    {"F32", 32},    {"F16", 16},    {"BF16", 16},   {"I64", 64}, {"I32", 32}, {"I16", 16},
      {"I8", 8},      {"U64", 64},    {"U32", 32},    {"U16", 16},    {"U8", 8},   {"BOOL", 8}, {"F8_E4M3", 8},
      {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},   {"C64", 64}};
  for (const auto& [name, bits] : kBits) {
    if (name == dtype) return bits;
  }
  return 0;
}

TensorDesc decode_tensor(const Field& object) {
  const std::string dtype = object["dtype"].text();
  const Field shape = object["shape"];
  TensorDesc tensor{dtype_of(dtype), {}, 0};
  const int64_t bits = element_bits(dtype);
  int64_t size = bits;
  bool overflows = false;
  for (uint32_t i = 0; i < shape.length(); ++i) {
    const int64_t dimension = shape[i].size();
    tensor.shape.push_back(dimension);
    overflows = overflows || __builtin_mul_overflow(size, dimension, &size);
  }
  if (overflows) shape.refuse("the dimensions of less than 2^60 bytes");
  const Field bytes = object["bytes"];
  if (bits == 0) {
    if (bytes.is_undefined()) bytes.refuse("the size of the payload, for the element size of " + dtype + " is unknown");
    tensor.bytes = bytes.size();
    return tensor;
  }
  tensor.bytes = (size + 7) / 8;
  if (!bytes.is_undefined() && bytes.size() != tensor.bytes) {
    bytes.refuse(std::to_string(tensor.bytes) + ", the size of this shape in " + dtype);
  }
  return tensor;
}

/// Checks that the payload's end is a position that a file can have.
Place decode_place(const Field& object, int64_t bytes) {
  const Place place{object["fd"].descriptor(), object["offset"].size()};
  if (place.offset > INT64_MAX - bytes) object["offset"].refuse("below 2^63 less the payload");
  return place;
}

TaskInput decode_input(const Field& object) {
  TensorDesc tensor = decode_tensor(object);
  const Place place = decode_place(object, tensor.bytes);
  return {place, std::move(tensor), object["digest"].boolean()};
}

std::vector<TaskInput> decode_inputs(const Field& array) {
  std::vector<TaskInput> inputs;
  for (uint32_t i = 0, length = array.length(); i < length; ++i) inputs.push_back(decode_input(array[i]));
  return inputs;
}

/// `fields` are those of the tensors, of which messages call the first "a".
void check_comparable(const Field& a_field, const TensorDesc& a, const Field& b_field, const TensorDesc& b) {
  const bool served = a.dtype && b.dtype;
  if (!served && a_field["dtype"].text() != b_field["dtype"].text()) {
    b_field["dtype"].refuse("that of a, or both floating");
  }
  if (a.shape != b.shape) b_field["shape"].refuse("that of a");
  if (!served && a.bytes != b.bytes) b_field["bytes"].refuse("those of a");
}

ComputeTask decode_compute(const Field& object) {
  ComputeTask task{};
  for (TaskInput& input : decode_inputs(object["inputs"])) {
    task.spec.inputs.push_back(std::move(input.tensor));
    task.places.push_back(input.place);
    task.digests.push_back(input.digest);
  }
  task.spec.program = decode_program(object["operations"], static_cast<int64_t>(task.places.size()));
  const Field output = object["output"];
  task.spec.output = decode_tensor(output);
  task.spec.work = choice(object["work"], kWork);
  task.spec.overflow = choice(output["overflow"], kOverflow);
  task.output = decode_place(output, task.spec.output.bytes);
  const Field measure = object["measure"];
  if (measure.is_undefined()) return task;
  task.measure = measure["alone"].boolean();
  if (task.measure && !task.spec.output.dtype) measure["alone"].refuse("false for this dtype");
  task.compare = decode_inputs(measure["against"]);
  for (uint32_t i = 0; i < task.compare.size(); ++i) {
    check_comparable(output, task.spec.output, measure["against"][i], task.compare[i].tensor);
  }
  return task;
}

Window decode_window(const Field& object, int64_t operations) {
  const auto place = [&](const char* name) {
    return OrderPlace{object[name]["key"].stream(), object[name]["tie"].stream()};
  };
  return {static_cast<ValueId>(object["of"].integer(0, operations - 1)),
          object["stream"].stream(),
          place("first"),
          place("last"),
          static_cast<int32_t>(object["thinning"].integer(0, 63)),
          object["limit"].integer(1, int64_t{1} << 40)};
}

/// What gives the values of a program, and nothing that looks at them.
GatherTask decode_values(const Field& object) {
  GatherTask task{};
  for (TaskInput& input : decode_inputs(object["inputs"])) {
    task.spec.inputs.push_back(std::move(input.tensor));
    task.places.push_back(input.place);
    task.digests.push_back(input.digest);
  }
  task.spec.program = decode_program(object["operations"], static_cast<int64_t>(task.places.size()));
  task.spec.work = choice(object["work"], kWork);
  task.spec.overflow = Overflow::inf;
  const Dtype dtype = task.spec.work == Work::f64 ? Dtype::f64 : Dtype::f32;
  TensorDesc& output = task.spec.output;
  output.dtype = dtype;
  int64_t bytes = size_of(dtype);
  const Field shape = object["shape"];
  for (uint32_t i = 0; i < shape.length(); ++i) {
    output.shape.push_back(shape[i].size());
    if (__builtin_mul_overflow(bytes, output.shape.back(), &bytes)) shape.refuse("of less than 2^60 elements");
  }
  output.bytes = bytes;
  return task;
}

/// Inputs of another shape or without arithmetic cannot be sampled.
void check_sampleable(const Field& object, const TaskSpec& spec) {
  for (const TensorDesc& input : spec.inputs) {
    if (input.shape != spec.output.shape || !input.dtype) object["inputs"].refuse("of the same shape, to be sampled");
  }
}

GatherTask decode_gather(const Field& object) {
  GatherTask task = decode_values(object);
  const Field windows = object["windows"];
  const auto operations = static_cast<int64_t>(task.spec.program.operations.size());
  for (uint32_t i = 0; i < windows.length(); ++i) {
    task.spec.windows.push_back(decode_window(windows[i], operations));
  }
  const Field sums = object["sums"];
  for (uint32_t i = 0; i < sums.length(); ++i) {
    task.spec.sums.push_back(static_cast<ValueId>(sums[i].integer(0, operations - 1)));
  }
  if (task.spec.writes()) windows.refuse("at least one window, where there is no sum");
  const Field sample = object["sample"];
  if (sample.is_undefined()) return task;
  check_sampleable(object, task.spec);
  const int64_t run = sample["run"].integer(1, int64_t{1} << 20);
  return sampled(std::move(task), {run, sample["period"].integer(run, int64_t{1} << 60)});
}

FindTask decode_find(const Field& object) {
  FindTask task{};
  const Field parts = object["parts"], ranks = object["ranks"];
  for (uint32_t i = 0; i < parts.length(); ++i) {
    const Field part = parts[i];
    task.parts.push_back({part["elements"].bytes(), choice(part["work"], kIsF64), part["firstKey"].stream(),
                          part["lastKey"].stream(), part["stream"].stream(), part["weight"].number()});
  }
  for (uint32_t i = 0; i < ranks.length(); ++i) task.ranks.push_back(ranks[i].number());
  return task;
}

RankTask decode_rank(const Field& object) {
  RankTask task{};
  const Field tensors = object["tensors"];
  for (uint32_t i = 0; i < tensors.length(); ++i) {
    const Field tensor = tensors[i];
    GatherTask values = decode_values(tensor);
    if (values.spec.output.bytes == 0) tensor["shape"].refuse("of some elements");
    const bool is_sampleable = tensor["isSampleable"].boolean();
    if (is_sampleable) check_sampleable(tensor, values.spec);
    task.tensors.push_back({std::move(values), is_sampleable, tensor["tie"].stream(), tensor["word"].stream()});
  }
  if (task.tensors.empty()) tensors.refuse("at least one tensor");
  const Field rules = object["rules"];
  for (uint32_t i = 0; i < rules.length(); ++i) {
    task.rules.push_back({rules[i]["density"].number(), rules[i]["epsilon"].number(), rules[i]["seed"].stream()});
  }
  if (task.rules.empty()) rules.refuse("at least one rule");
  const Field targets = object["targets"];
  for (uint32_t i = 0; i < targets.length(); ++i) {
    const Field target = targets[i];
    const auto tensor = static_cast<size_t>(target["tensor"].integer(0, int64_t{tensors.length()} - 1));
    const auto rule = static_cast<size_t>(target["rule"].integer(0, int64_t{rules.length()} - 1));
    task.targets.push_back({tensor, rule, target["offset"].size()});
  }
  task.to = object["to"].descriptor();
  return task;
}

MeasureTask decode_measure(const Field& object) {
  const Field input = object["input"];
  MeasureTask task{decode_input(input)};
  if (!task.input.tensor.dtype) input["dtype"].refuse("F64, F32, F16, BF16, F8_E4M3 or F8_E5M2");
  return task;
}

CompareTask decode_compare(const Field& object) {
  const Field a = object["a"], b = object["b"];
  CompareTask task{decode_input(a), decode_input(b)};
  check_comparable(a, task.a.tensor, b, task.b.tensor);
  return task;
}

}  // namespace

Task decode_task(const Field& task) {
  const Field kind = task["kind"];
  const std::string name = kind.text();
  if (name == "compute") return decode_compute(task);
  if (name == "gather") return decode_gather(task);
  if (name == "rank") return decode_rank(task);
  if (name == "hash") return HashTask{decode_inputs(task["inputs"])};
  if (name == "copy") {
    const int64_t bytes = task["bytes"].size();
    return CopyTask{decode_place(task["from"], bytes), decode_place(task["to"], bytes), bytes};
  }
  if (name == "find") return decode_find(task);
  if (name == "measure") return decode_measure(task);
  if (name == "compare") return decode_compare(task);
  kind.refuse("one of \"compute\", \"gather\", \"rank\", \"find\", \"hash\", \"copy\", \"measure\", \"compare\"");
}

uint32_t decode_group(const Field& task) {
  const Field group = task["group"];
  return group.is_undefined() ? 0 : static_cast<uint32_t>(group.integer(0, UINT32_MAX));
}

EngineOptions decode_engine_options(const Field& options, Isa isa) {
  EngineOptions decoded{};
  decoded.threads = static_cast<int32_t>(options["threads"].integer(1, 4096));
  decoded.memory_bytes = options["memory"].integer(1 << 20, int64_t{1} << 53);
  decoded.chunk_bytes = options["chunk"].integer(64, int64_t{1} << 40);
  if (const Field scratch = options["scratch"]; !scratch.is_undefined()) decoded.scratch = scratch.text();
  decoded.isa = isa;
  return decoded;
}

}  // namespace theta
