// Elementary functions in float64, built from + − × ÷ √ only, so that every CPU and CUDA give the same bits; the C
// library's differ from machine to machine. Error at most 1 ulp. Methods and coefficients are those of fdlibm, but for
// the polynomial of the exponential, which needs no division:
//
//   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
//   Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this
//   software is freely granted, provided that this notice is preserved.
#pragma once

#include "element.h"

namespace theta {

/// One instruction, rounded to nearest even.
THETA_HD double square_root(double x) { return __builtin_sqrt(x); }

/// sin(x + tail) for |x| ≤ π/4.
THETA_HD double sin_near_zero(double x, double tail) {
  const double z = x * x;
  const double r =
      8.33333333332248946124e-03 +
      z * (-1.98412698298579493134e-04 +
           z * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)));
  const double v = z * x;
  return x - ((z * (0.5 * tail - v * r) - tail) - v * -1.66666666666666324348e-01);
}

/// cos(x + tail) for |x| ≤ π/4.
THETA_HD double cos_near_zero(double x, double tail) {
  const double z = x * x;
  const double r = z * (4.16666666666666019037e-02 +
                        z * (-1.38888888888741095749e-03 +
                             z * (2.48015872894767294178e-05 +
                                  z * (-2.75573143513906633035e-07 +
                                       z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
  const double half = 0.5 * z;
  const double w = 1.0 - half;
  return w + (((1.0 - w) - half) + (z * r - x * tail));
}

/// x = quadrant × π/2 + y + tail, |y| ≤ π/4; the quadrant counts modulo 4.
struct Reduced {
  double y, tail;
  int quadrant;
};

/// Multiples of π/2 are taken away in three parts of 33 bits and more; up to |x| = 2^20 n × part is exact. Up to 2^50
/// the result is as far off as the last bits of x are.
THETA_HD Reduced reduce(double x) {
  const double magic = 0x1.8p52;
  const double n = (x * 6.36619772367581382433e-01 + magic) - magic;
  const double first = x - n * 1.57079632673412561417e+00;
  const double second = n * 6.07710050630396597660e-11;
  const double rest = first - second;
  const double third = n * 2.02226624879595063154e-21 - ((first - rest) - second);
  const double y = rest - third;
  const double tail = (rest - y) - third;
  const bool fits = n > -0x1p51 && n < 0x1p51;
  return {y, tail, fits ? static_cast<int>(static_cast<int64_t>(n) & 3) : 0};
}

/// For |x| ≤ 2^20 (beyond, see reduce); NaN gives NaN.
THETA_HD double sine(double x) {
  const Reduced at = reduce(x);
  switch (at.quadrant) {
    case 0:
      return sin_near_zero(at.y, at.tail);
    case 1:
      return cos_near_zero(at.y, at.tail);
    case 2:
      return -sin_near_zero(at.y, at.tail);
    default:
      return -cos_near_zero(at.y, at.tail);
  }
}

/// As sine.
THETA_HD double cosine(double x) {
  const Reduced at = reduce(x);
  switch (at.quadrant) {
    case 0:
      return cos_near_zero(at.y, at.tail);
    case 1:
      return -sin_near_zero(at.y, at.tail);
    case 2:
      return -cos_near_zero(at.y, at.tail);
    default:
      return sin_near_zero(at.y, at.tail);
  }
}

/// No branch, and no integer that vectors lack, so that loops over it are vectorised. Gradual underflow; NaN gives NaN.
THETA_HD double exponential(double x) {
  // Outside the result is 0 or infinite just as at the ends. A NaN passes.
  const double inside = x < -746.0 ? -746.0 : x > 710.0 ? 710.0 : x;
  constexpr double magic = 0x1.8p52;
  const double shifted = inside * 1.44269504088896338700e+00 + magic;
  const double n = shifted - magic;
  // n × ln 2 is taken away in two parts; n × the first is exact.
  const double r = (inside - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  // (e^r − 1 − r) ÷ r² for |r| ≤ ½ ln 2, interpolated at the zeros of a Chebyshev polynomial; off by 2^-61 of e^r.
  const double q =
      0.5 + r * (0x1.5555555555557p-3 +
                 r * (0x1.5555555555556p-5 +
                      r * (0x1.11111111100dcp-7 +
                           r * (0x1.6c16c16c162d4p-10 +
                                r * (0x1.a01a01abe7fe1p-13 +
                                     r * (0x1.a01a01a6d889cp-16 +
                                          r * (0x1.71de0231960ebp-19 +
                                               r * (0x1.27e4db646b17ep-22 +
                                                    r * (0x1.af4de97ca4194p-26 + r * 0x1.1f730349868cep-29)))))))));
  const double fraction = 1.0 + (r + (r * r) * q);
  // × 2^n in two steps, neither of which leaves the exponents that there are. The last bits of `shifted` are n's.
  const uint64_t biased = std::bit_cast<uint64_t>(shifted) - std::bit_cast<uint64_t>(magic) + 2048;
  const uint64_t half = biased >> 1;
  return fraction * std::bit_cast<double>((half - 1) << 52) * std::bit_cast<double>((biased - half - 1) << 52);
}

/// The natural one, as vectorisable. −∞ of ±0, NaN of what is below 0 and of NaN.
THETA_HD double logarithm(double x) {
  constexpr double infinity = __builtin_inf();
  const bool denormal = x < 0x1p-1022;
  const double normal = denormal ? x * 0x1p54 : x;
  // x = 2^k × (1 + f) with 1 + f between √½ and √2.
  const uint64_t bits = std::bit_cast<uint64_t>(normal) + (0x3ff0000000000000u - 0x3fe6a09e00000000u);
  const double offset = denormal ? 0x1p52 + 1023 + 54 : 0x1p52 + 1023;
  const double k = std::bit_cast<double>((bits >> 52) | 0x4330000000000000u) - offset;
  const double f = std::bit_cast<double>((bits & 0x000fffffffffffffu) + 0x3fe6a09e00000000u) - 1.0;
  const double half_square = 0.5 * f * f;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double w = z * z;
  const double even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const double odd =
      z * (6.666666666666735130e-01 +
           w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  const double y = s * (half_square + (odd + even)) + k * 1.90821492927058770002e-10 - half_square + f +
                   k * 6.93147180369123816490e-01;
  // Infinity and NaN are their own logarithms.
  const double special = x == 0 ? -infinity : x < 0 ? __builtin_nan("") : x;
  return (x > 0) & (x < infinity) ? y : special;
}

/// asin(x) ≈ x + x × this(x²) for |x| ≤ ½.
THETA_HD double arcsine_quotient(double z) {
  const double p = z * (1.66666666666666657415e-01 +
                        z * (-3.25565818622400915405e-01 +
                             z * (2.01212532134862925881e-01 +
                                  z * (-4.00555345006794114027e-02 +
                                       z * (7.91534994289814532176e-04 + z * 3.47933107596021167570e-05)))));
  const double q =
      1.0 + z * (-2.40339491173441421878e+00 +
                 z * (2.02094576023350569471e+00 + z * (-6.88283971605453293030e-01 + z * 7.70381505559019352791e-02)));
  return p / q;
}

/// In [0, π] for x in [−1, 1]; NaN elsewhere.
THETA_HD double arccosine(double x) {
  constexpr double kHalfPi = 1.57079632679489655800e+00, kHalfPiTail = 6.12323399573676603587e-17;
  const double magnitude = x < 0 ? -x : x;
  if (!(magnitude <= 1.0)) return (x - x) / (x - x);
  if (magnitude == 1.0) return x > 0 ? 0.0 : 2.0 * kHalfPi;
  if (magnitude < 0.5) {
    if (magnitude < 0x1p-57) return kHalfPi;
    return kHalfPi - (x - (kHalfPiTail - x * arcsine_quotient(x * x)));
  }
  const double z = (1.0 - magnitude) * 0.5;
  const double s = square_root(z);
  const double quotient = arcsine_quotient(z);
  if (x < 0) return 2.0 * (kHalfPi - (s + (quotient * s - kHalfPiTail)));
  // The root's own rounding error is put back.
  const double high = std::bit_cast<double>(std::bit_cast<uint64_t>(s) & 0xffffffff00000000u);
  const double correction = (z - high * high) / (s + high);
  return 2.0 * (high + (quotient * s + correction));
}

}  // namespace theta
