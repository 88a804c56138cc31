#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gepa/frontier.hpp"
#include "gepa/rng.hpp"

using gepa::Frontier;

namespace {

using Scores = std::vector<std::vector<double>>;
using Weights = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

Frontier frontier_of(const Scores& scores) {
  Frontier frontier(static_cast<std::uint32_t>(scores.front().size()));
  for (const auto& row : scores) frontier.add(row);
  return frontier;
}

Weights weights(const Frontier& frontier) {
  Weights all;
  for (const auto& share : frontier.reduction().shares()) {
    all.emplace_back(share.candidate, share.cells);
  }
  return all;
}

/// The definition, word for word: weakest first, remove whoever is spare in each of its cells.
Weights reduced_by_definition(const Frontier& frontier) {
  std::vector<std::uint32_t> alive;
  for (std::uint32_t i = 0; i < frontier.size(); ++i) {
    std::uint32_t at = 0;
    while (at < alive.size() && frontier.mean(alive[at]) <= frontier.mean(i)) ++at;
    alive.insert(alive.begin() + at, i);
  }
  const auto holds = [&](std::uint32_t candidate, std::uint32_t cell) {
    const auto score = frontier.score(candidate, cell);
    return score && score == frontier.cell_best(cell);
  };
  for (std::size_t visited = 0; visited < alive.size();) {
    bool spare = true;
    for (std::uint32_t cell = 0; cell < frontier.cells(); ++cell) {
      if (!holds(alive[visited], cell)) continue;
      bool shared = false;
      for (const std::uint32_t other : alive)
        shared |= other != alive[visited] && holds(other, cell);
      spare &= shared;
    }
    if (spare) {
      alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(visited));
    } else {
      ++visited;
    }
  }
  Weights all;
  for (std::uint32_t i = 0; i < frontier.size(); ++i) {
    std::uint32_t cells = 0;
    for (std::uint32_t cell = 0; cell < frontier.cells(); ++cell) cells += holds(i, cell) ? 1 : 0;
    for (const std::uint32_t kept : alive) {
      if (kept == i) all.emplace_back(i, cells);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("an empty frontier has no survivors") {
  CHECK(Frontier(3).reduction().shares().empty());
}

TEST_CASE("of exact ties the youngest stays") {
  CHECK(weights(frontier_of({{0.5, 0.5}, {0.5, 0.5}, {0.5, 0.5}})) == Weights{{2, 2}});
}

TEST_CASE("a candidate that others cover together goes, though none dominates it") {
  CHECK(weights(frontier_of({{0.5, 0.5, 0.5}, {0.5, 0.25, 1.0}, {0.25, 0.5, 1.0}})) ==
        Weights{{1, 2}, {2, 2}});
}

TEST_CASE("a sole solver stays, whatever its mean") {
  CHECK(weights(frontier_of({{1, 1, 1, 0}, {0, 0, 0, 1}})) == Weights{{0, 3}, {1, 1}});
}

TEST_CASE("a weaker survivor makes a stronger candidate spare") {
  CHECK(weights(frontier_of({{1, 0, 1, 0, 0}, {0, 1, 0, 1, 0}, {1, 1, 0.75, 0.75, 0}})) ==
        Weights{{0, 3}, {1, 3}});
}

TEST_CASE("the reduction is the definition's, after every add") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    gepa::Rng rng(seed, gepa::Stream::ties, 0);
    const auto instances = static_cast<std::uint32_t>(1 + rng.below(seed % 10 == 0 ? 130 : 9));
    const std::uint64_t grades = 2 + rng.below(4);
    Frontier frontier(instances);
    for (std::uint64_t left = 1 + rng.below(14); left > 0; --left) {
      std::vector<double> scores;
      std::vector<std::int64_t> covered;
      for (std::uint32_t i = 0; i < instances; ++i) {
        if (seed % 3 == 0 && i > 0 && rng.below(3) == 0) continue;
        covered.push_back(i);
        scores.push_back(static_cast<double>(rng.below(grades)));
      }
      frontier.add(scores, covered);
      REQUIRE(weights(frontier) == reduced_by_definition(frontier));
    }
  }
}
