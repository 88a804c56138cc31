#include "gepa/reduction.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace gepa {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kWordBits = 64;

/// The strongest members, weakest first, each with a chain through the cells where it is the
/// strongest.
struct Leaders {
  std::vector<std::uint32_t> ascending;
  std::vector<std::uint32_t> first_cell;
  std::vector<std::uint32_t> next_cell;
};

Leaders find_leaders(const Cells& cells, const Standings& standings) {
  Leaders leaders{{}, std::vector(standings.size(), kNone), std::vector(cells.count(), kNone)};
  for (std::uint32_t cell = 0; cell < cells.count(); ++cell) {
    if (cells.members(cell).empty()) continue;
    std::uint32_t& first = leaders.first_cell[cells.strongest(cell)];
    if (first == kNone) leaders.ascending.push_back(cells.strongest(cell));
    leaders.next_cell[cell] = first;
    first = cell;
  }
  std::sort(leaders.ascending.begin(), leaders.ascending.end(),
            [&](std::uint32_t a, std::uint32_t b) { return standings.weaker(a, b); });
  return leaders;
}

bool leads_uncovered(const Leaders& leaders, std::uint32_t candidate,
                     const std::vector<std::uint64_t>& covered) noexcept {
  for (std::uint32_t cell = leaders.first_cell[candidate]; cell != kNone;
       cell = leaders.next_cell[cell]) {
    if ((covered[cell / kWordBits] >> (cell % kWordBits) & 1U) == 0) return true;
  }
  return false;
}

std::uint32_t cover(std::vector<std::uint64_t>& covered,
                    std::span<const std::uint64_t> held) noexcept {
  int count = 0;
  for (std::size_t i = 0; i < held.size(); ++i) {
    covered[i] |= held[i];
    count += std::popcount(held[i]);
  }
  return static_cast<std::uint32_t>(count);
}

}  // namespace

Reduction::Reduction(const Cells& cells, const Standings& standings) {
  const Leaders leaders = find_leaders(cells, standings);
  std::vector<std::uint64_t> covered(cells.words());
  for (const std::uint32_t candidate : leaders.ascending) {
    if (!leads_uncovered(leaders, candidate, covered)) continue;
    shares_.push_back({candidate, cover(covered, cells.held(candidate))});
  }
  std::sort(shares_.begin(), shares_.end(),
            [](const Share& a, const Share& b) { return a.candidate < b.candidate; });
  std::uint64_t total = 0;
  for (const Share& share : shares_) cumulated_.push_back(total += share.cells);
}

bool Reduction::keeps(std::uint32_t candidate) const noexcept {
  const auto found =
      std::lower_bound(shares_.begin(), shares_.end(), candidate,
                       [](const Share& share, std::uint32_t at) { return share.candidate < at; });
  return found != shares_.end() && found->candidate == candidate;
}

std::uint32_t Reduction::draw(Rng& rng) const {
  const std::uint64_t target = rng.below(cumulated_.back());
  const auto found = std::upper_bound(cumulated_.begin(), cumulated_.end(), target);
  return shares_[static_cast<std::size_t>(found - cumulated_.begin())].candidate;
}

}  // namespace gepa
