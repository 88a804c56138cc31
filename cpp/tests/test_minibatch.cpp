#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

#include "gepa/minibatch.hpp"

TEST_CASE("each batch has distinct rows and each epoch covers every row") {
  for (std::uint32_t rows = 1; rows <= 12; ++rows) {
    for (std::uint32_t size = 1; size <= 13; ++size) {
      const std::uint32_t batches = (rows + size - 1) / size;
      for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
        std::set<std::uint32_t> seen;
        for (std::uint64_t i = epoch * batches; i < (epoch + 1) * batches; ++i) {
          const auto batch = gepa::minibatch(5, i, rows, size);
          CHECK(std::set(batch.begin(), batch.end()).size() == std::min(rows, size));
          CHECK(batch.size() == std::min(rows, size));
          seen.insert(batch.begin(), batch.end());
        }
        CHECK(seen.size() == rows);
      }
    }
  }
}

TEST_CASE("the last batch of an epoch is filled from the epoch's first") {
  const auto first = gepa::minibatch(5, 0, 7, 3);
  const auto last = gepa::minibatch(5, 2, 7, 3);
  CHECK(last[1] == first[0]);
  CHECK(last[2] == first[1]);
}

TEST_CASE("epochs differ in order") {
  CHECK(gepa::minibatch(5, 0, 100, 100) != gepa::minibatch(5, 1, 100, 100));
}

TEST_CASE("no rows and no size are refused") {
  CHECK_THROWS_AS((void)gepa::minibatch(5, 0, 0, 1), std::invalid_argument);
  CHECK_THROWS_AS((void)gepa::minibatch(5, 0, 1, 0), std::invalid_argument);
}
