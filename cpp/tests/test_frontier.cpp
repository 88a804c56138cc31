#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "gepa/errors.hpp"
#include "gepa/frontier.hpp"

using gepa::AddReport;
using gepa::Frontier;
using gepa::ScoreError;

namespace {

using Numbers = std::vector<std::uint32_t>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

AddReport add(Frontier& frontier, const std::vector<double>& scores) {
  return frontier.add(scores);
}

AddReport add(Frontier& frontier, const std::vector<double>& scores,
              const std::vector<std::int64_t>& instances) {
  return frontier.add(scores, instances);
}

Numbers members(const Frontier& frontier, std::size_t cell) {
  const auto span = frontier.members(cell);
  return {span.begin(), span.end()};
}

}  // namespace

TEST_CASE("the first candidate holds every cell that it covers") {
  Frontier frontier(3);
  const AddReport report = add(frontier, {0.5, 0.25}, {2, 0});
  CHECK(report.candidate == 0);
  CHECK(report.improved == Numbers{0, 2});
  CHECK(report.tied.empty());
  CHECK(members(frontier, 1).empty());
  CHECK(frontier.cell_best(1) == std::nullopt);
  CHECK(frontier.cell_best(2) == 0.5);
}

TEST_CASE("a better score takes a cell and an equal one shares it") {
  Frontier frontier(3);
  add(frontier, {0.5, 0.5, 0.5});
  const AddReport report = add(frontier, {0.75, 0.5, 0.25});
  CHECK(report.improved == Numbers{0});
  CHECK(report.tied == Numbers{1});
  CHECK(members(frontier, 0) == Numbers{1});
  CHECK(members(frontier, 1) == Numbers{0, 1});
  CHECK(members(frontier, 2) == Numbers{0});
}

TEST_CASE("means, totals and coverage are of the covered instances") {
  Frontier frontier(4);
  add(frontier, {0.25, 0.75}, {3, 1});
  CHECK(frontier.total(0) == 1.0);
  CHECK(frontier.mean(0) == 0.5);
  CHECK(frontier.coverage(0) == 2);
  CHECK(frontier.score(0, 1) == 0.75);
  CHECK(frontier.score(0, 0) == std::nullopt);
}

TEST_CASE("the best is by mean, then coverage, then age") {
  Frontier frontier(2);
  add(frontier, {0.5}, {0});
  CHECK(frontier.best() == 0);
  add(frontier, {0.25, 0.75});
  CHECK(frontier.best() == 1);
  add(frontier, {0.75, 0.25});
  CHECK(frontier.best() == 1);
  add(frontier, {1.0}, {1});
  CHECK(frontier.best() == 3);
}

TEST_CASE("refused scores name candidate and row, and change nothing") {
  Frontier frontier(2);
  add(frontier, {0.5, 0.5});
  try {
    add(frontier, {1.0, kNan});
    FAIL("NaN was taken");
  } catch (const ScoreError& error) {
    CHECK(error.candidate() == 1);
    CHECK(error.row() == 1);
  }
  CHECK(frontier.size() == 1);
  CHECK(frontier.cell_best(0) == 0.5);
  CHECK(members(frontier, 0) == Numbers{0});
  CHECK(add(frontier, {1.0, 0.5}).candidate == 1);
}

TEST_CASE("malformed scores are refused") {
  Frontier frontier(2);
  const double infinity = std::numeric_limits<double>::infinity();
  const double largest = std::numeric_limits<double>::max();
  CHECK_THROWS_AS(add(frontier, {}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {}, {}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {1.0}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {1.0, 1.0}, {0}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {1.0, 1.0}, {1, 1}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {1.0}, {2}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {1.0}, {-1}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {1.0, -infinity}), ScoreError);
  CHECK_THROWS_AS(add(frontier, {largest, largest}), ScoreError);
  CHECK(frontier.size() == 0);
}

TEST_CASE("what does not exist is out of range") {
  Frontier frontier(2);
  CHECK_THROWS_AS((void)frontier.best(), std::invalid_argument);
  CHECK_THROWS_AS((void)frontier.mean(0), std::out_of_range);
  add(frontier, {1.0, 1.0});
  CHECK_THROWS_AS((void)frontier.coverage(1), std::out_of_range);
  CHECK_THROWS_AS((void)frontier.score(0, 2), std::out_of_range);
  CHECK_THROWS_AS((void)frontier.members(2), std::out_of_range);
}

TEST_CASE("a frontier needs an instance and a known kind") {
  CHECK_THROWS_AS(Frontier(0), std::invalid_argument);
  CHECK(gepa::frontier_kind("instance") == gepa::FrontierKind::instance);
  CHECK(gepa::frontier_kind("cartesian") == gepa::FrontierKind::cartesian);
  CHECK_THROWS_WITH(
      (void)gepa::frontier_kind("pareto"),
      "unknown frontier kind 'pareto'; known: 'instance', 'objective', 'hybrid', 'cartesian'");
  CHECK_THROWS_WITH(Frontier(1, gepa::FrontierKind::hybrid),
                    "frontier kind 'hybrid' needs objectives; give a direction for each");
}
