// Masks by random numbers: every element has a word of its own, whatever block it is worked on in.

#include "../error.h"
#include "../formula/philox.h"
#include "della_marks.h"
#include "della_thresholds.h"
#include "steps.h"

namespace theta {

template <typename W>
Step<W> make_random_step(const Random& operation, const StepContext<W>& context) {
  return [&kernels = context.kernels, operation, threshold = threshold_of(operation.density)](const Block<W>& block,
                                                                                              W* to) {
    uint32_t words[kBlock];
    kernels.random_words(operation.seed, operation.stream, block.begin, block.count, words);
    kernels_of<W>(kernels).below(words, threshold, reinterpret_cast<Bits<W>*>(to), block.count);
  };
}

template <typename W>
Step<W> make_della_step(ValueId id, const Della& operation, const StepContext<W>& context) {
  if (!context.statistics[id]) {
    // Groups of one element, which has no rank.
    return make_random_step<W>({operation.density, operation.seed, operation.stream}, context);
  }
  if (const auto* marked = dynamic_cast<const DellaMarks<W>*>(context.statistics[id].get())) {
    return [&kernels = kernels_of<W>(context.kernels), marked](const Block<W>& block, W* to) {
      kernels.lanes_where(marked->kept(block.begin), reinterpret_cast<Bits<W>*>(to), block.count);
    };
  }
  auto* const thresholds = static_cast<DellaThresholds<W>*>(context.statistics[id].get());
  return [&kernels = context.kernels, operation, thresholds](const Block<W>& block, W* to) {
    uint32_t words[kBlock];
    kernels.random_words(operation.seed, operation.stream, block.begin, block.count, words);
    kernels_of<W>(kernels).below_each(words, thresholds->of(block.begin, block.count), reinterpret_cast<Bits<W>*>(to),
                                      block.count);
  };
}

namespace {
template <typename W>
const uint32_t* known_thresholds(const Block<W>& block, int32_t input) {
  return reinterpret_cast<const uint32_t*>(block.stored[input]);
}
}  // namespace

template <typename W>
Step<W> make_model_della_step(const ModelDella& operation, const StepContext<W>& context) {
  return [&kernels = context.kernels, operation](const Block<W>& block, W* to) {
    uint32_t words[kBlock];
    kernels.random_words(operation.seed, operation.stream, block.begin, block.count, words);
    kernels_of<W>(kernels).below_each(words, known_thresholds(block, operation.thresholds),
                                      reinterpret_cast<Bits<W>*>(to), block.count);
  };
}

template <typename W>
Step<W> make_rescale_della_step(const RescaleDella& operation, const StepContext<W>& context) {
  const WorkKernels<W>& kernels = kernels_of<W>(context.kernels);
  if (const auto* known = std::get_if<ModelDella>(&context.program.operations[operation.mask])) {
    return [of = operation.of, input = known->thresholds, &kernels](const Block<W>& block, W* to) {
      kernels.divide_by_thresholds(block.value(of), known_thresholds(block, input), to, block.count);
    };
  }
  const auto* mask = std::get_if<Della>(&context.program.operations[operation.mask]);
  if (!mask) throw Error(ErrorCode::input, "only a della mask has a probability for each element");
  if (!context.statistics[operation.mask]) {
    const auto probability = static_cast<W>(static_cast<double>(threshold_of(mask->density)) * 0x1p-32);
    return [of = operation.of, probability, &kernels](const Block<W>& block, W* to) {
      kernels.divide(block.value(of), probability, to, block.count);
    };
  }
  auto* const thresholds = static_cast<DellaThresholds<W>*>(context.statistics[operation.mask].get());
  return [of = operation.of, thresholds, &kernels](const Block<W>& block, W* to) {
    kernels.divide_by_thresholds(block.value(of), thresholds->of(block.begin, block.count), to, block.count);
  };
}

template <typename W>
Step<W> make_rescaled_select_step(const Select& operation, const StepContext<W>& context) {
  const ValueId of = std::get<RescaleDella>(context.program.operations[operation.of]).of;
  auto* const thresholds = static_cast<DellaThresholds<W>*>(context.statistics[operation.mask].get());
  return
      [of, mask = operation.mask, thresholds, &kernels = kernels_of<W>(context.kernels)](const Block<W>& block, W* to) {
        const uint32_t* const divisors = thresholds->of(block.begin, block.count);
        kernels.divide_where(block.value(of), block.mask(mask), divisors, to, block.count);
      };
}

template Step<float> make_random_step<float>(const Random&, const StepContext<float>&);
template Step<double> make_random_step<double>(const Random&, const StepContext<double>&);
template Step<float> make_della_step<float>(ValueId, const Della&, const StepContext<float>&);
template Step<double> make_della_step<double>(ValueId, const Della&, const StepContext<double>&);
template Step<float> make_model_della_step<float>(const ModelDella&, const StepContext<float>&);
template Step<double> make_model_della_step<double>(const ModelDella&, const StepContext<double>&);
template Step<float> make_rescale_della_step<float>(const RescaleDella&, const StepContext<float>&);
template Step<double> make_rescale_della_step<double>(const RescaleDella&, const StepContext<double>&);
template Step<float> make_rescaled_select_step<float>(const Select&, const StepContext<float>&);
template Step<double> make_rescaled_select_step<double>(const Select&, const StepContext<double>&);

}  // namespace theta
