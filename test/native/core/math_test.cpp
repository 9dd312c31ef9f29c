// Our elementary functions against the C library's of a wider type: at most 1 ulp off, and exact where methods rely on
// it.

#include "formula/math.h"

#include <cmath>
#include <random>

#include "../check.h"
#include "formula/slerp.h"

namespace {

double ulps(double x, long double exact) {
  if (x == exact) return 0;
  const double nearest = static_cast<double>(exact);
  const double ulp = std::nextafter(std::abs(nearest), INFINITY) - std::abs(nearest);
  return static_cast<double>(std::abs(static_cast<long double>(x) - exact) / ulp);
}

}  // namespace

TEST(math_sine) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> to_pi(0, 3.2), wide(-1e4, 1e4), exponent(-300, 0);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    for (const double x : {to_pi(random), wide(random), std::exp2(exponent(random))}) {
      worst = std::max(worst, ulps(theta::sine(x), std::sin(static_cast<long double>(x))));
    }
  }
  // Near multiples of π/2 most digits cancel.
  for (int k = 1; k < 1000; ++k) {
    double x = k * 1.5707963267948966;
    for (int step = 0; step < 4; ++step, x = std::nextafter(x, 1e9)) {
      if (k % 2) worst = std::max(worst, ulps(theta::sine(x), std::sin(static_cast<long double>(x))));
    }
  }
  CHECK(worst <= 1);
  CHECK(std::abs(theta::sine(3.141592653589793) - 1.2246467991473532e-16) < 1e-31);
  CHECK(theta::sine(0) == 0);
  CHECK(std::isnan(theta::sine(NAN)));
}

TEST(math_arccosine) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> all(-1, 1), exponent(-60, 0);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    for (const double x :
         {all(random), std::exp2(exponent(random)), 1 - std::exp2(exponent(random)), std::exp2(exponent(random)) - 1}) {
      worst = std::max(worst, ulps(theta::arccosine(x), std::acos(static_cast<long double>(x))));
    }
  }
  CHECK(worst <= 1);
  CHECK(theta::arccosine(1) == 0);
  CHECK(theta::arccosine(-1) == 3.141592653589793);
  CHECK(std::isnan(theta::arccosine(NAN)));
  CHECK(std::isnan(theta::arccosine(1.0000000000000002)));
}

TEST(math_exponential) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> near(-1, 1), usual(-40, 40), all(-745, 709), exponent(-300, 0);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    for (const double x : {near(random), usual(random), all(random), std::exp2(exponent(random))}) {
      const long double exact = std::exp(static_cast<long double>(x));
      // Of a denormal a unit is what the smallest is.
      const long double error = std::abs(static_cast<long double>(theta::exponential(x)) - exact);
      worst = std::max(
          worst, exact < 0x1p-1022L ? static_cast<double>(error / 0x1p-1074L) : ulps(theta::exponential(x), exact));
    }
  }
  CHECK(worst <= 1);
  CHECK(theta::exponential(0.0) == 1 && theta::exponential(-0.0) == 1);
  CHECK(theta::exponential(-746) == 0 && theta::exponential(-INFINITY) == 0);
  CHECK(theta::exponential(-745) > 0);
  CHECK(theta::exponential(709.78) < INFINITY && theta::exponential(709.79) == INFINITY);
  CHECK(theta::exponential(INFINITY) == INFINITY);
  CHECK(std::isnan(theta::exponential(NAN)));
}

TEST(math_logarithm) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> near(0.5, 2), exponent(-1074, 1023), closer(-52, -1);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    for (const double x :
         {near(random), std::exp2(exponent(random)), 1 + std::exp2(closer(random)), 1 - std::exp2(closer(random))}) {
      worst = std::max(worst, ulps(theta::logarithm(x), std::log(static_cast<long double>(x))));
    }
  }
  CHECK(worst <= 1);
  CHECK(theta::logarithm(1) == 0 && !std::signbit(theta::logarithm(1)));
  CHECK(theta::logarithm(0.0) == -INFINITY && theta::logarithm(-0.0) == -INFINITY);
  CHECK(theta::logarithm(INFINITY) == INFINITY);
  CHECK(std::isnan(theta::logarithm(NAN)) && std::isnan(theta::logarithm(-1)) &&
        std::isnan(theta::logarithm(-INFINITY)));
}

TEST(math_slerp_coefficients) {
  const auto right_angle = theta::slerp_coefficients(4, 9, 0, 0.5);
  CHECK(!right_angle.interpolate && std::abs(right_angle.a - std::sqrt(0.5)) < 1e-15 && right_angle.a == right_angle.b);
  CHECK(theta::slerp_coefficients(0, 1, 0, 0.5).interpolate);
  CHECK(!theta::slerp_coefficients(0, 1, 0, 0.5).antiparallel);
  CHECK(theta::slerp_coefficients(1, 1, -1, 0.5).interpolate && theta::slerp_coefficients(1, 1, -1, 0.5).antiparallel);
  CHECK(theta::slerp_coefficients(1, 1, 0.99951, 0.5).interpolate);
  CHECK(!theta::slerp_coefficients(1, 1, 0.9995, 0.5).interpolate);
  CHECK(std::isnan(theta::slerp_coefficients(NAN, 1, 0, 0.5).a));
}
