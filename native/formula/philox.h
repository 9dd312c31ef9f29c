// Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011), in the layout of Random123 and
// cuRAND: the counter is (block, stream), each a low and a high word, and the key is the seed. Element i of a stream
// has word i mod 4 of block i div 4 (METHODS.md, "Randomness").
#pragma once

#include "element.h"

namespace theta {

struct Philox {
  static constexpr uint32_t kMultiplyFirst = 0xD2511F53, kMultiplyThird = 0xCD9E8D57;
  static constexpr uint32_t kStepLow = 0x9E3779B9, kStepHigh = 0xBB67AE85;
  static constexpr int kRounds = 10, kWords = 4;
};

/// floor(probability × 2³²), for a probability in [0, 1): a word below it is kept.
THETA_HD uint32_t threshold_of(double probability) { return static_cast<uint32_t>(probability * 0x1p32); }

/// The thresholds of ranks 0, 1, …: low + (high − low)·rank div (size − 1), one after the other. Their products need
/// more than 64 bits.
class RankThresholds {
 public:
  RankThresholds(uint32_t low, uint32_t high, int64_t size, int64_t rank)
      : divisor_(static_cast<uint64_t>(size - 1)), step_((high - low) / divisor_), step_rest_((high - low) % divisor_) {
    const auto product = static_cast<unsigned __int128>(high - low) * static_cast<uint64_t>(rank);
    threshold_ = low + static_cast<uint64_t>(product / divisor_);
    rest_ = static_cast<uint64_t>(product % divisor_);
  }

  /// Of the next rank.
  uint32_t next() {
    const auto threshold = static_cast<uint32_t>(threshold_);
    rest_ += step_rest_;
    const bool carries = rest_ >= divisor_;
    threshold_ += step_ + carries;
    rest_ -= carries ? divisor_ : 0;
    return threshold;
  }

 private:
  uint64_t divisor_, step_, step_rest_, threshold_, rest_;
};

/// The same of ranks in any order: by a quotient in float64, which is off by at most one, and what it leaves over.
class RankThreshold {
 public:
  RankThreshold(uint32_t low, uint32_t high, int64_t size)
      : low_(low),
        range_(high - low),
        divisor_(size - 1),
        ratio_(static_cast<double>(high - low) / static_cast<double>(size - 1)) {}

  uint32_t of(int64_t rank) const {
    auto quotient = static_cast<int64_t>(static_cast<double>(rank) * ratio_);
    // Modulo 2^64, which loses nothing: it is less than twice the divisor to either side of 0.
    const auto rest = static_cast<int64_t>(range_ * static_cast<uint64_t>(rank) -
                                           static_cast<uint64_t>(quotient) * static_cast<uint64_t>(divisor_));
    quotient += (rest >= divisor_) - (rest < 0);
    return low_ + static_cast<uint32_t>(quotient);
  }

 private:
  uint32_t low_;
  uint64_t range_;
  int64_t divisor_;
  double ratio_;
};

}  // namespace theta
