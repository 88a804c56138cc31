#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gepa/cells.hpp"
#include "gepa/rng.hpp"
#include "gepa/standings.hpp"

namespace gepa {

/// A candidate and the number of cells that it holds.
struct Share {
  std::uint32_t candidate;
  std::uint32_t cells;

  friend bool operator==(const Share&, const Share&) = default;
};

/// The irredundant part of a frontier, with the table that a parent is drawn from.
///
/// Defined by one pass from the weakest candidate to the strongest, which removes whoever shares
/// each of its cells with a candidate not yet removed. When a candidate is visited, every stronger
/// one is still there; so it stays exactly when in some cell it is the strongest member and no
/// weaker survivor is a member. Hence only the leaders, the strongest member of each cell, need be
/// looked at. They are kept in order from one time to the next, each with the cells that it holds
/// as a bit set; bringing them up to date costs O(cells + leaders · cells / 64), whatever the
/// number of candidates, and a pass over the scores of whoever has come to lead.
class Reduction {
 public:
  /// Notes that these cells have a new best score.
  void lose(std::span<const std::uint32_t> taken);

  /// Notes that more than new best scores has changed.
  void forget() noexcept { leaders_.clear(); }

  /// Brings everything up to date; row_of(candidate) gives its CellRow.
  template <typename RowOf>
  void refresh(const Cells& cells, const Standings& standings, RowOf row_of) {
    find_leaders(cells, standings);
    for (const std::uint32_t candidate : arrived_) welcome(cells, candidate, row_of(candidate));
    line_up(standings);
    shares_.clear();
    std::fill(covered_.begin(), covered_.end(), 0U);
    for (const Leader& leader : leaders_) {
      if (!leads_uncovered(leader)) continue;
      const std::uint32_t held =
          leader.held.empty() ? cover(cells, row_of(leader.candidate)) : cover(leader.held);
      shares_.push_back({leader.candidate, held});
    }
    tabulate();
  }

  /// Ascending by candidate.
  [[nodiscard]] std::span<const Share> shares() const noexcept { return shares_; }
  [[nodiscard]] bool keeps(std::uint32_t candidate) const noexcept;

  /// A survivor in proportion to the cells that it holds, in O(log survivors); there must be one.
  [[nodiscard]] std::uint32_t draw(Rng& rng) const;

 private:
  /// A strongest member, the cells that it holds, and the first one of the chain of those that it
  /// leads. Where scores are so few that they are as quickly read, `held` is empty.
  struct Leader {
    std::uint32_t candidate;
    std::uint32_t first_cell;
    std::vector<std::uint64_t> held;
  };

  void find_leaders(const Cells& cells, const Standings& standings);
  void chain(const Cells& cells);
  void welcome(const Cells& cells, std::uint32_t candidate, const CellRow& row);
  void line_up(const Standings& standings);
  [[nodiscard]] bool leads_uncovered(const Leader& leader) const noexcept;
  std::uint32_t cover(std::span<const std::uint64_t> held) noexcept;
  std::uint32_t cover(const Cells& cells, const CellRow& row) noexcept;
  void tabulate();

  std::vector<Leader> leaders_;
  std::size_t known_ = 0;
  std::vector<std::uint64_t> taken_;
  std::vector<Share> shares_;
  std::vector<std::uint64_t> cumulated_;

  // Kept between calls for their memory alone.
  std::vector<std::uint32_t> first_cell_;
  std::vector<std::uint32_t> next_cell_;
  std::vector<std::uint32_t> found_;
  std::vector<std::uint32_t> arrived_;
  std::vector<std::uint64_t> covered_;
};

}  // namespace gepa
