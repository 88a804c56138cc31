#include "gepa/reduction.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "grow.hpp"

namespace gepa {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kWordBits = 64;

/// A bit set is kept only where it takes no more than a byte for each score.
constexpr std::size_t kBitsPerScore = 8;

std::uint64_t bit(std::uint32_t cell) noexcept {
  return std::uint64_t{1} << (cell % kWordBits);
}

}  // namespace

void Reduction::lose(std::span<const std::uint32_t> taken) {
  for (const std::uint32_t cell : taken) {
    if (cell / kWordBits >= taken_.size()) taken_.resize(cell / kWordBits + std::size_t{1});
    taken_[cell / kWordBits] |= bit(cell);
  }
}

void Reduction::find_leaders(const Cells& cells, const Standings& standings) {
  const std::size_t words = (std::size_t{cells.count()} + kWordBits - 1) / kWordBits;
  covered_.resize(words);
  taken_.resize(words);
  make_room(first_cell_, standings.size() - std::min(standings.size(), first_cell_.size()));
  first_cell_.resize(standings.size(), kNone);
  next_cell_.resize(cells.count());
  chain(cells);

  std::erase_if(leaders_,
                [&](const Leader& leader) { return first_cell_[leader.candidate] == kNone; });
  known_ = leaders_.size();
  for (Leader& leader : leaders_) {
    leader.first_cell = std::exchange(first_cell_[leader.candidate], kNone);
    for (std::size_t i = 0; i < leader.held.size(); ++i) leader.held[i] &= ~taken_[i];
  }
  std::fill(taken_.begin(), taken_.end(), 0U);
  arrived_.clear();
  for (const std::uint32_t candidate : found_) {
    if (first_cell_[candidate] != kNone) arrived_.push_back(candidate);
  }
}

/// Chains the cells of each strongest member.
void Reduction::chain(const Cells& cells) {
  found_.clear();
  for (std::uint32_t cell = 0; cell < cells.count(); ++cell) {
    const std::uint32_t strongest = cells.strongest(cell);
    if (strongest == kNone) continue;
    std::uint32_t& first = first_cell_[strongest];
    if (first == kNone) found_.push_back(strongest);
    next_cell_[cell] = first;
    first = cell;
  }
}

void Reduction::welcome(const Cells& cells, std::uint32_t candidate, const CellRow& row) {
  Leader leader{candidate, std::exchange(first_cell_[candidate], kNone), {}};
  if (row.size() * kBitsPerScore >= cells.count()) {
    leader.held.resize(covered_.size());
    row.visit([&](std::uint32_t cell, double score) {
      if (cells.is_best(cell, score)) leader.held[cell / kWordBits] |= bit(cell);
    });
  }
  leaders_.push_back(std::move(leader));
}

/// Weakest first. Those that were there already are in order.
void Reduction::line_up(const Standings& standings) {
  const auto weaker = [&](const Leader& a, const Leader& b) {
    return standings.weaker(a.candidate, b.candidate);
  };
  const auto arrived = leaders_.begin() + static_cast<std::ptrdiff_t>(known_);
  std::sort(arrived, leaders_.end(), weaker);
  std::inplace_merge(leaders_.begin(), arrived, leaders_.end(), weaker);
}

bool Reduction::leads_uncovered(const Leader& leader) const noexcept {
  for (std::uint32_t cell = leader.first_cell; cell != kNone; cell = next_cell_[cell]) {
    if ((covered_[cell / kWordBits] & bit(cell)) == 0) return true;
  }
  return false;
}

std::uint32_t Reduction::cover(std::span<const std::uint64_t> held) noexcept {
  int count = 0;
  for (std::size_t i = 0; i < held.size(); ++i) {
    covered_[i] |= held[i];
    count += std::popcount(held[i]);
  }
  return static_cast<std::uint32_t>(count);
}

std::uint32_t Reduction::cover(const Cells& cells, const CellRow& row) noexcept {
  std::uint32_t count = 0;
  row.visit([&](std::uint32_t cell, double score) {
    if (!cells.is_best(cell, score)) return;
    covered_[cell / kWordBits] |= bit(cell);
    ++count;
  });
  return count;
}

void Reduction::tabulate() {
  std::sort(shares_.begin(), shares_.end(),
            [](const Share& a, const Share& b) { return a.candidate < b.candidate; });
  cumulated_.clear();
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
