#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "gepa/errors.hpp"
#include "gepa/frontier.hpp"
#include "gepa/rng.hpp"
#include "gepa/shares.hpp"
#include "gepa/snapshot.hpp"

using gepa::AddReport;
using gepa::Direction;
using gepa::Frontier;
using gepa::FrontierKind;
using gepa::ObjectiveScores;

namespace {

using Numbers = std::vector<std::uint32_t>;
using Rows = std::vector<double>;
using Columns = std::vector<std::int64_t>;

AddReport add(Frontier& frontier, const Rows& scores, const Rows& values) {
  const ObjectiveScores objectives{values, {}};
  return frontier.add(scores, std::nullopt, &objectives);
}

Frontier frontier_of(FrontierKind kind) {
  Frontier frontier(2, kind, {Direction::maximize, Direction::minimize});
  add(frontier, {1.0, 0.0}, {0.5, 1.0, 0.5, 3.0});
  add(frontier, {0.0, 1.0}, {0.75, 2.0, 0.0, 2.0});
  return frontier;
}

Numbers members(const Frontier& frontier, std::size_t cell) {
  const auto span = frontier.members(cell);
  return {span.begin(), span.end()};
}

}  // namespace

TEST_CASE("objective cells are means in the objective's direction") {
  const Frontier frontier = frontier_of(FrontierKind::objective);
  CHECK(frontier.cells() == 2);
  CHECK(members(frontier, 0) == Numbers{0});
  CHECK(members(frontier, 1) == Numbers{0, 1});
  CHECK(frontier.cell_best(1) == 2.0);
  CHECK(frontier.objective_mean(1, 0) == 0.375);
  CHECK(frontier.best(std::size_t{1}) == 0);
}

TEST_CASE("hybrid cells are the instances, then the objectives") {
  const Frontier frontier = frontier_of(FrontierKind::hybrid);
  CHECK(frontier.cells() == 4);
  CHECK(members(frontier, 1) == Numbers{1});
  CHECK(members(frontier, 2) == Numbers{0});
  CHECK(frontier.key(3).objective == 1);
}

TEST_CASE("cartesian cells are pairs of instance and objective") {
  const Frontier frontier = frontier_of(FrontierKind::cartesian);
  CHECK(frontier.cells() == 4);
  CHECK(members(frontier, 0) == Numbers{1});
  CHECK(members(frontier, 1) == Numbers{0});
  CHECK(members(frontier, 3) == Numbers{1});
  CHECK(frontier.objective_score(0, 1, 1) == 3.0);
}

TEST_CASE("scores that come later join their candidate's") {
  Frontier frontier(3);
  frontier.add(Rows{0.5, 0.5}, Columns{0, 2});
  frontier.add(Rows{1.0, 0.5, 0.25});
  const AddReport report = frontier.extend(0, Rows{0.5}, Columns{1});
  CHECK(report.tied == Numbers{1});
  CHECK(members(frontier, 1) == Numbers{0, 1});
  CHECK(frontier.coverage(0) == 3);
  CHECK_THROWS_AS(frontier.extend(0, Rows{0.5}, Columns{1}), gepa::ScoreError);
}

TEST_CASE("a mean that falls hands over what it led") {
  Frontier frontier(3);
  frontier.add(Rows{1.0}, Columns{0});
  frontier.add(Rows{1.0, 0.5}, Columns{0, 1});
  CHECK(frontier.best() == 0);
  CHECK(frontier.reduction().shares().size() == 1);
  frontier.extend(0, Rows{0.0}, Columns{2});
  CHECK(frontier.best() == 1);
  CHECK(frontier.all_cells().strongest(0) == 1);
}

TEST_CASE("whatever is asked in between, the reduction is that of the live counters") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    gepa::Rng rng(seed, gepa::Stream::ties, 1);
    const auto kind = static_cast<FrontierKind>(rng.below(4));
    const std::uint64_t instances = 1 + rng.below(seed % 10 == 0 ? 130 : 9);
    Frontier frontier(static_cast<std::uint32_t>(instances), kind, {Direction::minimize});
    for (std::uint64_t left = 20; left > 0; --left) {
      Rows scores;
      Rows values;
      Columns named;
      const std::size_t candidate = rng.below(frontier.size() + 3);
      const bool known = candidate < frontier.size();
      for (std::uint64_t i = 0; i < instances; ++i) {
        if (rng.below(3) == 0 || (known && frontier.score(candidate, i))) continue;
        named.push_back(static_cast<std::int64_t>(i));
        scores.push_back(static_cast<double>(rng.below(3)));
        values.push_back(static_cast<double>(rng.below(3)));
      }
      if (named.empty()) continue;
      const ObjectiveScores objectives{values, {}};
      if (known) {
        frontier.extend(candidate, scores, named, &objectives);
      } else {
        frontier.add(scores, named, &objectives);
      }
      if (rng.below(2) == 0) continue;
      const auto shares = frontier.reduction().shares();
      const auto size = static_cast<std::uint32_t>(frontier.size());
      REQUIRE(std::vector(shares.begin(), shares.end()) == gepa::top_shares(frontier, size));
    }
    REQUIRE(gepa::snapshot(gepa::restore(gepa::snapshot(frontier))) == gepa::snapshot(frontier));
  }
}

TEST_CASE("a snapshot that was damaged is refused") {
  std::vector<std::uint8_t> bytes = gepa::snapshot(frontier_of(FrontierKind::hybrid));
  for (std::uint8_t& byte : bytes) {
    byte ^= 0x10U;
    CHECK_THROWS_AS((void)gepa::restore(bytes), gepa::SnapshotError);
    byte ^= 0x10U;
  }
  bytes.pop_back();
  CHECK_THROWS_AS((void)gepa::restore(bytes), gepa::SnapshotError);
}

TEST_CASE("what is sealed and yet makes no sense is refused") {
  const std::vector<std::uint8_t> good = gepa::snapshot(frontier_of(FrontierKind::hybrid));
  for (std::size_t at = 8; at + 8 < good.size(); ++at) {
    std::vector<std::uint8_t> bytes(good.begin(), good.end() - 8);
    bytes[at] = 0xff;
    if (at >= 13 && at < 17) continue;  // more instances, and room for their cells
    std::uint64_t seal = gepa::checksum(bytes);
    for (int i = 0; i < 8; ++i, seal >>= 8U) bytes.push_back(static_cast<std::uint8_t>(seal));
    try {
      (void)gepa::restore(bytes).reduction();
    } catch (const gepa::SnapshotError&) {
      CHECK(bytes != good);
    }
  }
}
