// See decode_operation.h.

#include "decode_operation.h"

#include <limits>
#include <optional>

namespace theta {
namespace {

constexpr std::pair<std::string_view, Group> kGroups[] = {
    {"row", Group::row}, {"last", Group::last}, {"tensor", Group::tensor}};
constexpr std::pair<std::string_view, Elect> kElections[] = {
    {"weighted", Elect::weighted}, {"unweighted", Elect::unweighted}, {"count", Elect::count}, {"none", Elect::none}};
constexpr std::pair<std::string_view, DivideBy> kDivisors[] = {
    {"weights", DivideBy::weights}, {"count", DivideBy::count}, {"none", DivideBy::none}};
/// Of karcher: as many as a recipe may ask for. Each takes time, however small the tensor is.
constexpr int64_t kMostIterations = 10'000;
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

  template <typename Pair>
  Pair pair() const {
    const ValueId left = value("left");
    return Pair{left, value("right")};
  }

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

/// Of what weighs several values: those and their weights.
template <typename Merge>
Merge merge_of(const Reader& from) {
  Merge merge{};
  merge.of = from.values("of");
  merge.weights = from.weights(merge.of);
  return merge;
}

/// An operation's word, and how its fields are read: the compiler wants one for each alternative of Operation.
template <typename Kind>
struct Form;

template <>
struct Form<Load> {
  static constexpr std::string_view word = "load";
  static Load read(const Reader& from) { return {from.input("input"), choice(from.object["nan"], kNan)}; }
};
template <>
struct Form<Resize> {
  static constexpr std::string_view word = "resize";
  static Resize read(const Reader& from) {
    return {from.input("input"), choice(from.object["nan"], kNan), from.value("base")};
  }
};
template <>
struct Form<Lora> {
  static constexpr std::string_view word = "lora";
  static Lora read(const Reader& from) {
    const int64_t rank = from.object["rank"].integer(1, std::numeric_limits<int32_t>::max());
    return {from.input("a"), from.input("b"), rank, from.number("scaling"), from.boolean("transposed")};
  }
};
template <>
struct Form<Subtract> {
  static constexpr std::string_view word = "subtract";
  static Subtract read(const Reader& from) { return from.pair<Subtract>(); }
};
template <>
struct Form<Add> {
  static constexpr std::string_view word = "add";
  static Add read(const Reader& from) { return from.pair<Add>(); }
};
template <>
struct Form<Onto> {
  static constexpr std::string_view word = "onto";
  static Onto read(const Reader& from) { return {from.value("base"), from.value("vector")}; }
};
template <>
struct Form<Negate> {
  static constexpr std::string_view word = "negate";
  static Negate read(const Reader& from) { return {from.value("of")}; }
};
template <>
struct Form<Multiply> {
  static constexpr std::string_view word = "multiply";
  static Multiply read(const Reader& from) { return {from.value("of"), from.number("by")}; }
};
template <>
struct Form<Divide> {
  static constexpr std::string_view word = "divide";
  static Divide read(const Reader& from) { return {from.value("of"), from.number("by")}; }
};
template <>
struct Form<Magnitude> {
  static constexpr std::string_view word = "magnitude";
  static Magnitude read(const Reader& from) {
    return {from.value("of"), from.number("density"), choice(from.object["per"], kGroups), from.boolean("atLeastOne"),
            from.object["tie"].stream()};
  }
};
template <>
struct Form<Breadcrumbs> {
  static constexpr std::string_view word = "breadcrumbs";
  static Breadcrumbs read(const Reader& from) {
    return {from.value("of"),           from.number("density"),
            from.number("dropTop"),     choice(from.object["per"], kGroups),
            from.boolean("atLeastOne"), from.object["tie"].stream()};
  }
};
template <>
struct Form<Random> {
  static constexpr std::string_view word = "random";
  static Random read(const Reader& from) {
    return {from.number("density"), from.object["seed"].stream(), from.object["stream"].stream()};
  }
};
template <>
struct Form<Della> {
  static constexpr std::string_view word = "della";
  static Della read(const Reader& from) {
    return {from.value("of"),
            from.number("density"),
            from.number("epsilon"),
            choice(from.object["per"], kGroups),
            from.object["tie"].stream(),
            from.object["seed"].stream(),
            from.object["stream"].stream()};
  }
};
template <>
struct Form<ModelCut> {
  static constexpr std::string_view word = "model-cut";
  static ModelCut read(const Reader& from) {
    const Field cuts = from.object["cuts"];
    const auto cut = [&](const char* name) {
      return Cut<uint64_t>{cuts[name]["key"].stream(), cuts[name]["tie"].stream()};
    };
    return {from.value("of"), from.object["tie"].stream(), cut("outer"), cut("inner")};
  }
};
template <>
struct Form<ModelDella> {
  static constexpr std::string_view word = "model-della";
  static ModelDella read(const Reader& from) {
    return {from.value("of"), from.object["seed"].stream(), from.object["stream"].stream(), from.input("thresholds"),
            from.boolean("keepsAny")};
  }
};
template <>
struct Form<MaskAnd> {
  static constexpr std::string_view word = "mask-and";
  static MaskAnd read(const Reader& from) { return from.pair<MaskAnd>(); }
};
template <>
struct Form<MaskOr> {
  static constexpr std::string_view word = "mask-or";
  static MaskOr read(const Reader& from) { return from.pair<MaskOr>(); }
};
template <>
struct Form<MaskNot> {
  static constexpr std::string_view word = "mask-not";
  static MaskNot read(const Reader& from) { return {from.value("of")}; }
};
template <>
struct Form<Select> {
  static constexpr std::string_view word = "select";
  static Select read(const Reader& from) { return {from.value("of"), from.value("mask")}; }
};
template <>
struct Form<RescaleInv> {
  static constexpr std::string_view word = "rescale-inv";
  static RescaleInv read(const Reader& from) { return {from.value("of"), from.number("density")}; }
};
template <>
struct Form<RescaleDella> {
  static constexpr std::string_view word = "rescale-della";
  static RescaleDella read(const Reader& from) { return {from.value("of"), from.value("mask")}; }
};
template <>
struct Form<RescaleL1> {
  static constexpr std::string_view word = "rescale-l1";
  static RescaleL1 read(const Reader& from) { return {from.value("of"), from.value("masked")}; }
};
template <>
struct Form<Sum> {
  static constexpr std::string_view word = "sum";
  static Sum read(const Reader& from) {
    Sum sum = merge_of<Sum>(from);
    sum.scale = from.number("scale");
    return sum;
  }
};
template <>
struct Form<Mean> {
  static constexpr std::string_view word = "mean";
  static Mean read(const Reader& from) {
    Mean mean = merge_of<Mean>(from);
    mean.scale = from.number("scale");
    return mean;
  }
};
template <>
struct Form<Ties> {
  static constexpr std::string_view word = "ties";
  static Ties read(const Reader& from) {
    Ties ties = merge_of<Ties>(from);
    ties.scale = from.number("scale");
    ties.elect = choice(from.object["elect"], kElections);
    ties.divide = choice(from.object["divide"], kDivisors);
    return ties;
  }
};
template <>
struct Form<Variance> {
  static constexpr std::string_view word = "variance";
  static Variance read(const Reader& from) { return {from.values("of")}; }
};
template <>
struct Form<Largest> {
  static constexpr std::string_view word = "largest";
  static Largest read(const Reader& from) {
    return {from.value("of"), from.number("share"), from.object["tie"].stream()};
  }
};
template <>
struct Form<Sce> {
  static constexpr std::string_view word = "sce";
  static Sce read(const Reader& from) {
    return {from.values("of"), from.object["chosen"].is_undefined() ? kNoValue : from.value("chosen")};
  }
};
template <>
struct Form<Ram> {
  static constexpr std::string_view word = "ram";
  static Ram read(const Reader& from) { return {from.values("of"), from.number("epsilon")}; }
};
template <>
struct Form<RamPlus> {
  static constexpr std::string_view word = "ram-plus";
  static RamPlus read(const Reader& from) {
    return {from.values("of"), from.number("epsilon"), from.number("r"), from.number("alpha")};
  }
};
template <>
struct Form<Consensus> {
  static constexpr std::string_view word = "consensus";
  static Consensus read(const Reader& from) {
    Consensus consensus = merge_of<Consensus>(from);
    consensus.scale = from.number("scale");
    consensus.lambda = from.number("lambda");
    consensus.at_least = static_cast<int32_t>(from.object["atLeast"].integer(1, std::numeric_limits<int32_t>::max()));
    return consensus;
  }
};
template <>
struct Form<Magmax> {
  static constexpr std::string_view word = "magmax";
  static Magmax read(const Reader& from) { return {from.values("of"), from.number("scale")}; }
};
template <>
struct Form<Extremes> {
  static constexpr std::string_view word = "extremes";
  static Extremes read(const Reader& from) { return {from.value("of"), from.number("clip")}; }
};
template <>
struct Form<Pcb> {
  static constexpr std::string_view word = "pcb";
  static Pcb read(const Reader& from) {
    Pcb pcb = merge_of<Pcb>(from);
    pcb.extremes = from.values("extremes");
    if (pcb.extremes.size() != pcb.of.size()) from.object["extremes"].refuse("as many values as `of` has");
    pcb.scale = from.number("scale");
    pcb.select = from.number("select");
    return pcb;
  }
};
template <>
struct Form<Divergence> {
  static constexpr std::string_view word = "divergence";
  static Divergence read(const Reader& from) { return {from.value("of"), from.value("base")}; }
};
template <>
struct Form<ArceeFusion> {
  static constexpr std::string_view word = "arcee-fusion";
  static ArceeFusion read(const Reader& from) { return {from.value("of"), from.value("divergence")}; }
};
template <>
struct Form<Linear> {
  static constexpr std::string_view word = "linear";
  static Linear read(const Reader& from) {
    Linear linear = merge_of<Linear>(from);
    linear.normalize = from.boolean("normalize");
    return linear;
  }
};
template <>
struct Form<Slerp> {
  static constexpr std::string_view word = "slerp";
  static Slerp read(const Reader& from) {
    const ValueId left = from.value("left");
    return {left, from.value("right"), from.number("t"), choice(from.object["per"], kGroups)};
  }
};
template <>
struct Form<Karcher> {
  static constexpr std::string_view word = "karcher";
  static Karcher read(const Reader& from) {
    Karcher karcher = merge_of<Karcher>(from);
    karcher.max_iterations = from.object["maxIterations"].integer(0, kMostIterations);
    karcher.tolerance = from.number("tolerance");
    return karcher;
  }
};
template <>
struct Form<ModelStock> {
  static constexpr std::string_view word = "model-stock";
  static ModelStock read(const Reader& from) { return {from.values("of"), choice(from.object["per"], kGroups)}; }
};
template <>
struct Form<Nearswap> {
  static constexpr std::string_view word = "nearswap";
  static Nearswap read(const Reader& from) { return {from.value("of"), from.number("t")}; }
};

template <typename>
struct Decoder;
template <typename... Kinds>
struct Decoder<std::variant<Kinds...>> {
  static Operation decode(const Reader& from) {
    const std::string op = from.object["op"].text();
    std::optional<Operation> operation;
    const bool known = ((op == Form<Kinds>::word && (operation = Form<Kinds>::read(from), true)) || ...);
    if (!known) from.object["op"].refuse("an operation that this addon has");
    return std::move(*operation);
  }
};

}  // namespace

Program decode_program(const Field& operations, int64_t inputs) {
  Program program;
  const uint32_t length = operations.length();
  if (length == 0) operations.refuse("at least one operation");
  for (uint32_t i = 0; i < length; ++i) {
    program.operations.push_back(Decoder<Operation>::decode(Reader{operations[i], i, inputs}));
  }
  return program;
}

}  // namespace theta
