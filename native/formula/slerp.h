// Coefficients of spherical interpolation between two tensors, from float64 sums (METHODS.md, "Merges of models").
#pragma once

#include "math.h"

namespace theta {

struct SlerpCoefficients {
  double a, b;
  /// The tensors are (anti)parallel or one is zero: a ⊕ t × (b − a) is meant instead.
  bool interpolate;
  bool antiparallel;
};

/// `aa`, `bb`, `ab`: sums of the products of the tensors' elements.
THETA_HD SlerpCoefficients slerp_coefficients(double aa, double bb, double ab, double t) {
  const double norms = square_root(aa) * square_root(bb);
  if (norms == 0) return {0, 0, true, false};
  // A NaN passes the clamp.
  double cosine = ab / norms;
  cosine = cosine < -1.0 ? -1.0 : cosine > 1.0 ? 1.0 : cosine;
  if ((cosine < 0 ? -cosine : cosine) > 0.9995) return {0, 0, true, cosine < 0};
  const double angle = arccosine(cosine);
  const double whole = sine(angle);
  return {sine((1.0 - t) * angle) / whole, sine(t * angle) / whole, false, false};
}

}  // namespace theta
