// Gathers what a tensor has in a window, while its values pass.
#pragma once

#include "block.h"
#include "carver.h"
#include "kernels.h"
#include "mask_statistic.h"
#include "window.h"

namespace theta {

template <typename W>
class WindowGatherer {
 public:
  /// Of a tensor of `count` elements. `found` has room for a block.
  WindowGatherer(const Window& window, int64_t count, const KernelTable& kernels, const FoundElements<W>& found,
                 Carver& memory);

  void gather(const Block<W>& block);
  FoundInWindow finish();

 private:
  using Key = Bits<W>;

  void keep(int64_t found, int64_t begin);
  void thin();

  const Window window_;
  const Key first_, last_;
  const int64_t limit_;
  const KernelTable& kernels_;
  const FoundElements<W>& found_;
  Key* const keys_;
  int64_t* const indices_;
  FoundInWindow result_;
};

extern template class WindowGatherer<float>;
extern template class WindowGatherer<double>;

}  // namespace theta
