#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "gepa/acceptance.hpp"
#include "gepa/criteria.hpp"
#include "gepa/evidence.hpp"

using gepa::accept;
using gepa::Decision;
using gepa::Verdict;

namespace {

using Numbers = std::vector<double>;

double p(const Numbers& differences) {
  return gepa::sign_flip_p(differences);
}

}  // namespace

TEST_CASE("the sign-flip test counts every sign") {
  CHECK(p({}) == 1.0);
  CHECK(p({0.0, 0.0}) == 1.0);
  CHECK(p({1, 1, 1}) == 0.125);
  CHECK(p({1, 1, -1}) == 0.5);
  CHECK(p({1, 2}) == 0.25);
  CHECK(p({-1, 2}) == 0.5);
}

TEST_CASE("sums that tie exactly count, whatever their rounding") {
  CHECK(p({0.25, 0.5, -0.75, 1.0}) == p({1, 2, -3, 4}));
  CHECK(p({0.1, 0.2, 0.3, 1e16, -1e16}) > 0.0);
}

TEST_CASE("thousands of differences neither overflow nor vanish") {
  Numbers wins(3000, 1.0);
  CHECK(p(wins) == 0.0);  // 2^-3000 is no double
  wins.insert(wins.end(), 2900, -1.0);
  CHECK_UNARY(p(wins) > 0.05 && p(wins) < 0.15);
}

TEST_CASE("a paired decision carries its p") {
  const Decision decision = accept("paired", Numbers(4, 0.0), Numbers(4, 1.0), {.confidence = 0.9});
  CHECK(decision.accepted);
  CHECK(decision.p == 0.0625);
  CHECK(decision.confidence == 0.9);
}

TEST_CASE("a race asks until it is decided or at its limit") {
  const gepa::AcceptanceOptions options{.limit = 40};
  for (const double each : {1.0, -1.0, 0.0}) {
    Numbers after(1, each);
    Decision decision = accept("sequential", Numbers(1, 0.0), after, options);
    for (int asked = 0; decision.verdict == Verdict::undecided && asked < 40; ++asked) {
      REQUIRE(decision.more_rows > 0);
      after.resize(after.size() + decision.more_rows, each);
      decision = accept("sequential", Numbers(after.size(), 0.0), after, options);
    }
    CHECK(decision.accepted == (each > 0.0));
    CHECK_UNARY(after.size() <= 40);
  }
}

TEST_CASE("objectives may accept, guard or stand aside") {
  const Decision no = accept("strict_improvement", Numbers{1}, Numbers{1});
  const Decision yes = accept("strict_improvement", Numbers{0}, Numbers{1});
  const Numbers low{0.25};
  const Numbers high{0.75};
  const gepa::ObjectiveScores worse{low, {}};
  const gepa::ObjectiveScores better{high, {}};
  const gepa::ObjectiveCriterion guard{{gepa::Direction::maximize}, 0.05, 0.1, {0}};
  CHECK(weigh_objectives(no, "any_objective_improved", worse, better, guard).accepted);
  CHECK_FALSE(weigh_objectives(yes, "any_objective_improved", better, worse, guard).accepted);
  CHECK(weigh_objectives(yes, "primary_or_objective", better, worse, guard).accepted);
  CHECK_FALSE(weigh_objectives(yes, "protected_objective_guard", better, worse, guard).accepted);
  CHECK(weigh_objectives(yes, "protected_objective_guard", worse, better, guard).accepted);
  CHECK_THROWS_AS((void)weigh_objectives(yes, "guard", worse, better, guard),
                  std::invalid_argument);
}

TEST_CASE("children are chosen by how much they rose") {
  const Decision some = accept("strict_improvement", Numbers{0}, Numbers{1});
  const Decision none = accept("strict_improvement", Numbers{0}, Numbers{0});
  const Decision most = accept("strict_improvement", Numbers{0}, Numbers{2});
  const std::vector<const Decision*> all{&some, &none, &most, &some};
  using Chosen = std::vector<std::size_t>;
  CHECK(gepa::choose("all", all, 1) == Chosen{0, 2, 3});
  CHECK(gepa::choose("best", all, 9) == Chosen{2});
  CHECK(gepa::choose("top_k", all, 2) == Chosen{2, 0});
}
