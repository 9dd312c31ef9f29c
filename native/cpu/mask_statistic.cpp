#include "mask_statistic.h"

namespace theta {

std::vector<CutWanted> cuts_wanted(const MaskRule& rule, int64_t size) {
  if (rule.of_nonzero > 0) return {{true, 0}};
  const Band& band = rule.band;
  std::vector<CutWanted> wanted;
  const int64_t end = band.drop + band.keep;
  if (end > 0 && end < size) wanted.push_back({true, end - 1});
  if (band.drop > 0 && band.drop < size) wanted.push_back({false, band.drop - 1});
  return wanted;
}

}  // namespace theta
