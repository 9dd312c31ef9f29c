// Our elementary functions at most 1 ulp off, and exact where methods rely on it: at hard arguments, whose values to
// 100 bits math_reference.h has, and at many against the C library's of a wider type.

#include "formula/math.h"

#include <cmath>
#include <random>
#include <span>

#include "../check.h"
#include "formula/compete.h"
#include "formula/karcher.h"
#include "formula/model_stock.h"
#include "formula/slerp.h"
#include "math_reference.h"

namespace {

double ulps(double x, long double exact) {
  if (x == exact) return 0;
  const double nearest = static_cast<double>(exact);
  const double ulp = std::nextafter(std::abs(nearest), INFINITY) - std::abs(nearest);
  return static_cast<double>(std::abs(static_cast<long double>(x) - exact) / ulp);
}

/// The largest error over the table, in ulps of the value.
double worst_of(std::span<const theta_test::MathReference> table, double (*function)(double)) {
  double worst = 0;
  for (const auto& [x, value, rest] : table) {
    const double magnitude = std::abs(value), ulp = std::nextafter(magnitude, INFINITY) - magnitude;
    // Exact: so near each other that the difference has no more digits than they.
    worst = std::max(worst, std::abs((function(x) - value) - rest) / ulp);
  }
  return worst;
}

}  // namespace

TEST(math_hard_arguments) {
  CHECK(worst_of(theta_test::kSine, [](double x) { return theta::sine(x); }) < 1);
  CHECK(worst_of(theta_test::kCosine, [](double x) { return theta::cosine(x); }) < 1);
  CHECK(worst_of(theta_test::kArccosine, [](double x) { return theta::arccosine(x); }) < 1);
  CHECK(worst_of(theta_test::kExponential, [](double x) { return theta::exponential(x); }) < 1);
  CHECK(worst_of(theta_test::kLogarithm, [](double x) { return theta::logarithm(x); }) < 1);
}

TEST(math_sine) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> to_pi(0, 3.2), wide(-1e4, 1e4), exponent(-300, 0);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    for (const double x : {to_pi(random), wide(random), std::exp2(exponent(random))}) {
      worst = std::max(worst, ulps(theta::sine(x), std::sin(static_cast<long double>(x))));
      worst = std::max(worst, ulps(theta::cosine(x), std::cos(static_cast<long double>(x))));
    }
  }
  // Near multiples of π/2 most digits cancel.
  for (int k = 1; k < 1000; ++k) {
    double x = k * 1.5707963267948966;
    for (int step = 0; step < 4; ++step, x = std::nextafter(x, 1e9)) {
      if (k % 2) worst = std::max(worst, ulps(theta::sine(x), std::sin(static_cast<long double>(x))));
      if (k % 2 == 0) worst = std::max(worst, ulps(theta::cosine(x), std::cos(static_cast<long double>(x))));
    }
  }
  CHECK(worst <= 1);
  CHECK(std::abs(theta::sine(3.141592653589793) - 1.2246467991473532e-16) < 1e-31);
  CHECK(theta::sine(0) == 0);
  CHECK(theta::cosine(0) == 1 && std::abs(theta::cosine(1.5707963267948966) - 6.123233995736766e-17) < 1e-32);
  CHECK(std::isnan(theta::sine(NAN)) && std::isnan(theta::cosine(NAN)) && std::isnan(theta::sine(INFINITY)));
  // Far out it is as sure as the argument's last bit.
  for (const double x : {1e9, -1e12, 1e15}) {
    CHECK(std::abs(theta::sine(x) - static_cast<double>(std::sin(static_cast<long double>(x)))) <=
          0x1p-52 * std::abs(x));
  }
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

TEST(math_hyperbolic_tangent) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> near(-1, 1), usual(-25, 25), exponent(-300, 10);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    for (const double x : {near(random), usual(random), std::exp2(exponent(random)), -std::exp2(exponent(random))}) {
      worst = std::max(worst, ulps(theta::hyperbolic_tangent(x), std::tanh(static_cast<long double>(x))));
    }
  }
  CHECK(worst <= 4);
  CHECK(theta::hyperbolic_tangent(0.0) == 0 && theta::hyperbolic_tangent(-0.0) == 0);
  CHECK(theta::hyperbolic_tangent(INFINITY) == 1 && theta::hyperbolic_tangent(-INFINITY) == -1);
  CHECK(std::isnan(theta::hyperbolic_tangent(NAN)));
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

TEST(math_model_stock_step) {
  const auto step = [](std::vector<double> sums, int64_t count) {
    return theta::model_stock_step({sums.data(), count});
  };
  CHECK(step({7}, 1) == 1);
  CHECK(step({4, 6, 9}, 2) == 1);
  CHECK(std::abs(step({1, 0.5, 1}, 2) - 2 * 0.5 / 1.5) < 1e-15);
  CHECK(step({1, 0, 1}, 2) == 0 && step({1, -0.5, 1}, 2) == 0 && step({1, -1, 1}, 2) == 0);
  CHECK(step({0, 0, 1}, 2) == 0);
  // Three at 120 degrees: 1 + 2c is 0.
  CHECK(step({1, -0.5, -0.5, 1, -0.5, 1}, 3) == 0);
  CHECK(std::isnan(step({NAN, NAN, 1}, 2)));
}

TEST(math_karcher_coefficients) {
  const auto solve = [](std::vector<double> sums, std::vector<double> weights, int64_t steps = 10) {
    const auto count = static_cast<int64_t>(weights.size());
    return theta::karcher_coefficients({sums.data(), count}, {std::move(weights), steps, 1e-5});
  };
  const auto near = [](double a, double b) { return std::abs(a - b) < 1e-12; };
  // At right angles, of norms 2 and 4: the direction between them, 3 long.
  const auto between = solve({4, 0, 16}, {1, 1});
  CHECK(near(between.c[0], 3 * std::sqrt(0.5) / 2) && near(between.c[1], 3 * std::sqrt(0.5) / 4));
  CHECK(!between.antiparallel);
  // By weights it is slerp.
  for (const double t : {0.1, 0.25, 0.8}) {
    const auto found = solve({1, 0.3, 1}, {1 - t, t}, 1000);
    const auto way = theta::slerp_coefficients(1, 1, 0.3, t);
    CHECK(near(found.c[0], way.a) && near(found.c[1], way.b));
  }
  CHECK(solve({0, 0, 0}, {1, 2}).c == std::vector<double>({0, 0}));
  CHECK(near(solve({9, 0, 0}, {1, 2}).c[0], 1.0 / 3) && solve({9, 0, 0}, {1, 2}).c[1] == 0);
  CHECK(solve({1, -1, 1}, {1, 1}).antiparallel && near(solve({1, -1, 1}, {1, 1}).c[0], 1));
  CHECK(std::isnan(solve({NAN, NAN, 1}, {1, 1}).c[0]) && std::isnan(solve({NAN, NAN, 1}, {1, 1}).c[1]));
}
