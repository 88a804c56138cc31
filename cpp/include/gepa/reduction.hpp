#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gepa/cells.hpp"
#include "gepa/rng.hpp"
#include "gepa/standings.hpp"

namespace gepa {

/// A surviving candidate and the number of cells that it holds.
struct Share {
  std::uint32_t candidate;
  std::uint32_t cells;
};

/// The irredundant part of a frontier, with the table that a parent is drawn from.
///
/// Defined by one pass from the weakest candidate to the strongest, which removes whoever shares
/// each of its cells with a candidate not yet removed. When a candidate is visited, every stronger
/// one is still there; so it stays exactly when in some cell it is the strongest member and no
/// weaker survivor is a member. Hence only the strongest member of each cell need be looked at:
/// O(cells + strongest members · cells / 64), whatever the number of candidates.
class Reduction {
 public:
  Reduction(const Cells& cells, const Standings& standings);

  /// Ascending by candidate.
  [[nodiscard]] std::span<const Share> shares() const noexcept { return shares_; }
  [[nodiscard]] bool keeps(std::uint32_t candidate) const noexcept;

  /// A survivor in proportion to the cells that it holds, in O(log survivors); there must be one.
  [[nodiscard]] std::uint32_t draw(Rng& rng) const;

 private:
  std::vector<Share> shares_;
  std::vector<std::uint64_t> cumulated_;
};

}  // namespace gepa
