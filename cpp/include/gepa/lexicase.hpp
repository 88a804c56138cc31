#pragma once

#include <cstdint>
#include <vector>

#include "gepa/frontier.hpp"
#include "gepa/rng.hpp"

namespace gepa {

/// A candidate and the probability that it is selected.
struct Chance {
  std::uint32_t candidate;
  double probability;
};

/// The parent that batch lexicase selects: the cells are shuffled and cut into batches; batch by
/// batch, only those with the best mean over the cells of the batch that they have a score on stay
/// (who has none there goes, unless nobody has), until one is left or the batches are used up; one
/// of those left is drawn. Means are compared exactly. The frontier must have a candidate.
[[nodiscard]] std::uint32_t batch_lexicase(const Frontier& frontier, std::uint32_t batch, Rng& rng);

/// The exact probabilities, ascending, zeros left out. Every order of batches is gone through, so
/// at most 12 cells and 64 candidates: std::invalid_argument above.
[[nodiscard]] std::vector<Chance> batch_lexicase_chances(const Frontier& frontier,
                                                         std::uint32_t batch);

}  // namespace gepa
