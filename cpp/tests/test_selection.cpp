#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "gepa/rng.hpp"
#include "gepa/selection.hpp"

using gepa::Frontier;
using gepa::Rng;
using gepa::Stream;

namespace {

Frontier three_to_one() {
  Frontier frontier(4);
  frontier.add(std::vector<double>{0, 0, 0, 1});
  frontier.add(std::vector<double>{1, 1, 1, 0});
  frontier.add(std::vector<double>{0, 0, 0, 0});
  return frontier;
}

}  // namespace

TEST_CASE("pareto draws in proportion to the cells held") {
  const Frontier frontier = three_to_one();
  std::array<int, 3> drawn{};
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Rng rng(9, Stream::selection, i);
    ++drawn.at(gepa::select(frontier, "pareto", rng));
  }
  CHECK_UNARY(drawn[0] > 890 && drawn[0] < 1110);
  CHECK(drawn[1] == 4000 - drawn[0]);
  CHECK(drawn[2] == 0);
}

TEST_CASE("current best draws nothing") {
  const Frontier frontier = three_to_one();
  Rng rng(9, Stream::selection, 0);
  CHECK(gepa::select(frontier, "current_best", rng) == 1);
  CHECK(rng.next_u32() == Rng(9, Stream::selection, 0).next_u32());
}

TEST_CASE("an unknown rule is refused with the known ones") {
  Rng rng(9, Stream::selection, 0);
  CHECK_THROWS_WITH((void)gepa::select(three_to_one(), "paretto", rng),
                    "unknown selection rule 'paretto'; known: 'pareto', 'current_best', "
                    "'epsilon_greedy', 'top_k_pareto', 'pareto_unpruned', 'batch_lexicase'");
}

TEST_CASE("options out of range and empty frontiers are refused") {
  const Frontier frontier = three_to_one();
  Rng rng(9, Stream::selection, 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS((void)gepa::select(frontier, "pareto", rng, {.epsilon = 1.5}),
                  std::invalid_argument);
  CHECK_THROWS_AS((void)gepa::select(frontier, "pareto", rng, {.epsilon = nan}),
                  std::invalid_argument);
  CHECK_THROWS_AS((void)gepa::select(frontier, "pareto", rng, {.k = 0}), std::invalid_argument);
  CHECK_THROWS_AS((void)gepa::select(Frontier(1), "pareto", rng), std::invalid_argument);
}
