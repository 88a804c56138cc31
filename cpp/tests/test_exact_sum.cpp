#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gepa/exact_sum.hpp"
#include "gepa/rng.hpp"

namespace {

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr double kSmallest = std::numeric_limits<double>::denorm_min();

double sum(const std::vector<double>& terms) {
  return gepa::exact_sum(terms);
}

}  // namespace

TEST_CASE("tenths add up to one") {
  CHECK(sum(std::vector<double>(10, 0.1)) == 1.0);
}

TEST_CASE("nothing adds up to zero") {
  CHECK(sum({}) == 0.0);
  CHECK(sum({0.5, -0.5}) == 0.0);
}

TEST_CASE("small terms survive large ones that cancel") {
  CHECK(sum({1e100, 1.0, -1e100}) == 1.0);
  CHECK(sum({1e308, kSmallest, -1e308}) == kSmallest);
}

TEST_CASE("a half rounds to even and a hair more rounds up") {
  const double half_ulp = 0x1.0p-53;
  CHECK(sum({1.0, half_ulp}) == 1.0);
  CHECK(sum({1.0 + 0x1.0p-52, half_ulp}) == 1.0 + 0x1.0p-51);
  CHECK(sum({1.0, half_ulp, kSmallest}) == 1.0 + 0x1.0p-52);
  CHECK(sum({-1.0, -half_ulp, -kSmallest}) == -1.0 - 0x1.0p-52);
}

TEST_CASE("rounding carries into the next power of two") {
  CHECK(sum({2.0 - 0x1.0p-52, 0x1.0p-53}) == 2.0);
}

TEST_CASE("subnormal sums are exact") {
  CHECK(sum({kSmallest, kSmallest, kSmallest}) == 3 * kSmallest);
  CHECK(sum({std::numeric_limits<double>::min(), -kSmallest}) ==
        std::numeric_limits<double>::min() - kSmallest);
}

TEST_CASE("a sum beyond the range is infinite, one that returns into it is not") {
  CHECK(std::isinf(sum({kLargest, kLargest})));
  CHECK(sum({-kLargest, -kLargest}) == -std::numeric_limits<double>::infinity());
  CHECK(sum({kLargest, kLargest, -kLargest}) == kLargest);
}

TEST_CASE("the order of terms changes nothing") {
  gepa::Rng rng(11, gepa::Stream::ties, 0);
  std::vector<double> terms(1000);
  for (double& term : terms) {
    term = std::ldexp(rng.uniform() - 0.5, static_cast<int>(rng.below(120)) - 60);
  }
  const double forward = sum(terms);
  std::reverse(terms.begin(), terms.end());
  CHECK(sum(terms) == forward);
  std::sort(terms.begin(), terms.end());
  CHECK(sum(terms) == forward);
}
