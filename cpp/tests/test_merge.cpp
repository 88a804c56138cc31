#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

#include "gepa/merge.hpp"

using gepa::Frontier;
using gepa::Lineage;
using gepa::Merger;
using gepa::Rng;
using gepa::Stream;

namespace {

using Numbers = std::vector<std::uint32_t>;
using Integers = std::vector<std::int64_t>;

struct Family {
  Frontier frontier{6};
  Lineage lineage;
};

Family twins(double root) {
  Family family;
  family.frontier.add(std::vector<double>(6, root));
  family.frontier.add(std::vector<double>{1, 1, 1, -1, -1, -1});
  family.frontier.add(std::vector<double>{-1, -1, -1, 1, 1, 1});
  family.lineage.add({}, Integers{0, 0});
  family.lineage.add(Integers{0}, Integers{1, 0});
  family.lineage.add(Integers{0}, Integers{0, 1});
  return family;
}

}  // namespace

TEST_CASE("ancestors are found through every path") {
  Lineage lineage;
  lineage.add({}, Integers{0});
  lineage.add(Integers{0}, Integers{0});
  lineage.add(Integers{0}, Integers{0});
  lineage.add(Integers{2, 1}, Integers{0});
  lineage.add(Integers{1}, Integers{0});
  CHECK(lineage.ancestors(3) == Numbers{0, 1, 2});
  CHECK(lineage.common_ancestors(3, 4) == Numbers{0, 1});
  CHECK_FALSE(lineage.common_ancestors(3, 1).has_value());
  CHECK_FALSE(lineage.common_ancestors(0, 3).has_value());
  CHECK_FALSE(lineage.common_ancestors(2, 2).has_value());
  CHECK_THROWS_AS(lineage.add(Integers{5}, Integers{0}), std::invalid_argument);
  CHECK_THROWS_AS((void)lineage.ancestors(5), std::out_of_range);
}

TEST_CASE("what each parent changed comes together, once") {
  for (const double root : {-1.0, -0.25, 0.0}) {
    const Family family = twins(root);
    Merger merger;
    Rng rng(1, Stream::merge, 0);
    const auto merge = merger.propose(family.frontier, family.lineage, rng);
    REQUIRE(merge.has_value());
    CHECK(merge->texts == Integers{1, 1});
    CHECK(merge->sources == Numbers{1, 2});
    CHECK_FALSE(merger.propose(family.frontier, family.lineage, rng).has_value());
  }
}

TEST_CASE("parents must share enough instances") {
  const Family family = twins(0.0);
  Merger merger;
  Rng rng(1, Stream::merge, 0);
  CHECK_FALSE(merger.propose(family.frontier, family.lineage, rng, {10, 7}).has_value());
}

TEST_CASE("check rows are distinct and of each sort") {
  const Family family = twins(0.0);
  for (std::uint32_t size = 1; size < 9; ++size) {
    Rng rng(size, Stream::merge, 0);
    const Numbers rows = gepa::check_rows(family.frontier, 1, 2, size, rng);
    CHECK(rows.size() == std::min(size, 6U));
    CHECK(std::set(rows.begin(), rows.end()).size() == rows.size());
  }
  Rng rng(1, Stream::merge, 0);
  const Numbers rows = gepa::check_rows(family.frontier, 1, 2, 4, rng);
  int first = 0;
  for (const std::uint32_t row : rows) first += row < 3 ? 1 : 0;
  CHECK_UNARY(first == 2);
}
