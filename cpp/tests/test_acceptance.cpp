#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "gepa/acceptance.hpp"
#include "gepa/errors.hpp"

using gepa::Decision;

namespace {

Decision judge(std::string_view rule, const std::vector<double>& before,
               const std::vector<double>& after, double margin = 0.0) {
  return gepa::accept(rule, before, after, {.margin = margin});
}

}  // namespace

TEST_CASE("strict improvement wants a larger sum") {
  CHECK(judge("strict_improvement", {0.5, 0.25}, {0.5, 0.5}).accepted);
  CHECK_FALSE(judge("strict_improvement", {0.5, 0.25}, {0.25, 0.5}).accepted);
  CHECK(judge("improvement_or_equal", {0.5, 0.25}, {0.25, 0.5}).accepted);
  CHECK_FALSE(judge("improvement_or_equal", {0.5, 0.25}, {0.25, 0.25}).accepted);
}

TEST_CASE("scores that add up alike tie, in whatever order") {
  const std::vector<double> tenths(10, 0.1);
  std::vector<double> one(10, 0.0);
  one.back() = 1.0;
  CHECK_FALSE(judge("strict_improvement", tenths, one).accepted);
  CHECK_FALSE(judge("strict_improvement", one, tenths).accepted);
  CHECK_FALSE(judge("strict_improvement", {1e16, 1.0, -1e16}, {1.0, 1e16, -1e16}).accepted);
}

TEST_CASE("a margin is of the mean") {
  CHECK(judge("strict_improvement", {0, 0}, {1, 0}, 0.25).accepted);
  CHECK_FALSE(judge("strict_improvement", {0, 0}, {1, 0}, 0.5).accepted);
  CHECK(judge("improvement_or_equal", {0, 0}, {1, 0}, 0.5).accepted);
}

TEST_CASE("the smallest rise counts") {
  const double smallest = std::numeric_limits<double>::denorm_min();
  CHECK(judge("strict_improvement", {0, 0, 0}, {smallest, 0, 0}).accepted);
}

TEST_CASE("a decision carries its numbers") {
  const Decision decision = judge("strict_improvement", {0.5, 0.25}, {1, 0.5}, 0.125);
  CHECK(decision.before_sum == 0.75);
  CHECK(decision.after_sum == 1.5);
  CHECK(decision.delta == 0.75);
  CHECK(decision.margin == 0.125);
  CHECK(decision.rows == 2);
  CHECK(decision.rule == "strict_improvement");
}

TEST_CASE("what cannot be compared is refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double largest = std::numeric_limits<double>::max();
  CHECK_THROWS_AS((void)judge("strict_improvement", {}, {}), gepa::ScoreError);
  CHECK_THROWS_AS((void)judge("strict_improvement", {1}, {1, 2}), gepa::ScoreError);
  CHECK_THROWS_AS((void)judge("strict_improvement", {1}, {nan}), gepa::ScoreError);
  CHECK_THROWS_AS((void)judge("strict_improvement", {nan}, {1}), gepa::ScoreError);
  CHECK_THROWS_AS((void)judge("strict_improvement", {-largest}, {largest}), gepa::ScoreError);
  CHECK_THROWS_AS((void)judge("improvement", {1}, {1}), std::invalid_argument);
  CHECK_THROWS_AS((void)judge("strict_improvement", {1}, {1}, -0.5), std::invalid_argument);
  CHECK_THROWS_AS((void)judge("strict_improvement", {1}, {1}, nan), std::invalid_argument);
}
