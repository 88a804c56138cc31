#pragma once

#include <cstdint>
#include <vector>

#include "gepa/frontier.hpp"

namespace gepa {

/// Each candidate that holds a cell with the number of cells that it holds; ascending.
[[nodiscard]] std::vector<Share> unpruned_shares(const Frontier& frontier);

/// The reduction of the fronts with the k best candidates alone, by mean, then age. Empty when none
/// of them holds a cell. O(k · instances), whatever the number of candidates.
[[nodiscard]] std::vector<Share> top_shares(const Frontier& frontier, std::uint32_t k);

}  // namespace gepa
