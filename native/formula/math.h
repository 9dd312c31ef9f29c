// Elementary functions in float64, built from + − × ÷ √ only, so that every CPU and CUDA give the same bits; the C
// library's differ from machine to machine. Error at most 1 ulp. Methods and coefficients are those of fdlibm:
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

/// For |x| ≤ 2^20; NaN gives NaN.
THETA_HD double sine(double x) {
  // Multiples of π/2 are taken away in three parts of 33 bits and more; n × part is exact.
  const double magic = 0x1.8p52;
  const double n = (x * 6.36619772367581382433e-01 + magic) - magic;
  const double first = x - n * 1.57079632673412561417e+00;
  const double second = n * 6.07710050630396597660e-11;
  const double rest = first - second;
  const double third = n * 2.02226624879595063154e-21 - ((first - rest) - second);
  const double y = rest - third;
  const double tail = (rest - y) - third;
  if (!(n == n)) return x - x;
  switch (static_cast<int64_t>(n) & 3) {
    case 0:
      return sin_near_zero(y, tail);
    case 1:
      return cos_near_zero(y, tail);
    case 2:
      return -sin_near_zero(y, tail);
    default:
      return -cos_near_zero(y, tail);
  }
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
