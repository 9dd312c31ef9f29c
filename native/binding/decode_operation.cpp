// See decode_operation.h.

#include "decode_operation.h"

#include <limits>

namespace theta {
namespace {

constexpr std::pair<std::string_view, Group> kGroups[] = {
    {"row", Group::row}, {"last", Group::last}, {"tensor", Group::tensor}};
constexpr std::pair<std::string_view, Elect> kElections[] = {
    {"weighted", Elect::weighted}, {"unweighted", Elect::unweighted}, {"count", Elect::count}};
constexpr std::pair<std::string_view, DivideBy> kDivisors[] = {
    {"weights", DivideBy::weights}, {"count", DivideBy::count}, {"none", DivideBy::none}};
constexpr std::pair<std::string_view, bool> kNan[] = {{"propagate", false}, {"zero", true}};

/// One operation's object, and how many operations and inputs it may refer to.
struct Reader {
  Field object;
  int64_t position;
  int64_t inputs;

  ValueId value(const Field& field) const {
    if (position == 0) field.refuse("an earlier operation, and the first has none before it");
    return static_cast<ValueId>(field.integer(0, position - 1));
  }
  ValueId value(const char* name) const { return value(object[name]); }

  int32_t input(const char* name) const {
    if (inputs == 0) object[name].refuse("an input, and the task has none");
    return static_cast<int32_t>(object[name].integer(0, inputs - 1));
  }

  double number(const char* name) const { return object[name].number(); }
  bool boolean(const char* name) const { return object[name].boolean(); }

  std::vector<ValueId> values(const char* name) const {
    const Field field = object[name];
    std::vector<ValueId> all(field.length());
    if (all.empty()) field.refuse("at least one value");
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = value(field[i]);
    return all;
  }

  /// As many numbers as there are values.
  std::vector<double> weights(const std::vector<ValueId>& of) const {
    const Field field = object["weights"];
    std::vector<double> all(field.length());
    if (all.size() != of.size()) field.refuse(std::to_string(of.size()) + " numbers, one a value");
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = field[i].number();
    return all;
  }
};

template <typename Merge>
Merge decode_merge(const Reader& from) {
  Merge merge{};
  merge.of = from.values("of");
  merge.weights = from.weights(merge.of);
  return merge;
}

Operation decode(const Reader& from) {
  const std::string op = from.object["op"].text();
  const auto pair = [&] { return std::pair(from.value("left"), from.value("right")); };

  if (op == "load") return Load{from.input("input"), choice(from.object["nan"], kNan)};
  if (op == "resize") return Resize{from.input("input"), choice(from.object["nan"], kNan), from.value("base")};
  if (op == "lora") {
    const int64_t rank = from.object["rank"].integer(1, std::numeric_limits<int32_t>::max());
    return Lora{from.input("a"), from.input("b"), rank, from.number("scaling"), from.boolean("transposed")};
  }
  if (op == "subtract") {
    const auto [left, right] = pair();
    return Subtract{left, right};
  }
  if (op == "add") {
    const auto [left, right] = pair();
    return Add{left, right};
  }
  if (op == "onto") return Onto{from.value("base"), from.value("vector")};
  if (op == "negate") return Negate{from.value("of")};
  if (op == "multiply") return Multiply{from.value("of"), from.number("by")};
  if (op == "divide") return Divide{from.value("of"), from.number("by")};
  if (op == "magnitude") {
    return Magnitude{from.value("of"), from.number("density"), choice(from.object["per"], kGroups),
                     from.boolean("atLeastOne"), from.object["tie"].stream()};
  }
  if (op == "breadcrumbs") {
    return Breadcrumbs{from.value("of"),           from.number("density"),
                       from.number("dropTop"),     choice(from.object["per"], kGroups),
                       from.boolean("atLeastOne"), from.object["tie"].stream()};
  }
  if (op == "mask-and") {
    const auto [left, right] = pair();
    return MaskAnd{left, right};
  }
  if (op == "mask-or") {
    const auto [left, right] = pair();
    return MaskOr{left, right};
  }
  if (op == "mask-not") return MaskNot{from.value("of")};
  if (op == "select") return Select{from.value("of"), from.value("mask")};
  if (op == "rescale-inv") return RescaleInv{from.value("of"), from.number("density")};
  if (op == "rescale-l1") return RescaleL1{from.value("of"), from.value("masked")};
  if (op == "sum") {
    Sum sum = decode_merge<Sum>(from);
    sum.scale = from.number("scale");
    return sum;
  }
  if (op == "mean") {
    Mean mean = decode_merge<Mean>(from);
    mean.scale = from.number("scale");
    return mean;
  }
  if (op == "ties") {
    Ties ties = decode_merge<Ties>(from);
    ties.scale = from.number("scale");
    ties.elect = choice(from.object["elect"], kElections);
    ties.divide = choice(from.object["divide"], kDivisors);
    return ties;
  }
  if (op == "linear") {
    Linear linear = decode_merge<Linear>(from);
    linear.normalize = from.boolean("normalize");
    return linear;
  }
  if (op == "slerp") {
    const auto [left, right] = pair();
    return Slerp{left, right, from.number("t")};
  }
  from.object["op"].refuse("an operation that this addon has");
}

}  // namespace

Program decode_program(const Field& operations, int64_t inputs) {
  Program program;
  const uint32_t length = operations.length();
  if (length == 0) operations.refuse("at least one operation");
  for (uint32_t i = 0; i < length; ++i) program.operations.push_back(decode(Reader{operations[i], i, inputs}));
  return program;
}

}  // namespace theta
