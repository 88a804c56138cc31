#include "gepa/lexicase.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

#include "gepa/exact_sum.hpp"

namespace gepa {
namespace {

using Numbers = std::vector<std::uint32_t>;

constexpr std::uint32_t kCells = 12;
constexpr std::size_t kCandidates = 64;

/// A candidate's scores on the cells of a batch, as a rounded sum and the room for its error.
struct Tally {
  std::uint32_t candidate;
  std::uint32_t count;
  double sum;
  double room;

  [[nodiscard]] double least() const noexcept { return (sum - room) / count; }
  [[nodiscard]] double most() const noexcept { return (sum + room) / count; }
};

Tally tally(const Frontier& frontier, std::uint32_t candidate,
            std::span<const std::uint32_t> cells) {
  const CellRow row = frontier.cell_row(candidate);
  Tally tally{candidate, 0, 0.0, 0.0};
  double size = 0.0;
  for (const std::uint32_t cell : cells) {
    const std::optional<double> score = row.score(cell);
    if (!score) continue;
    tally.sum += *score;
    size += std::abs(*score);
    ++tally.count;
  }
  tally.room = size * tally.count * std::numeric_limits<double>::epsilon();
  return tally;
}

/// The sign of the difference of two means, exactly: each sum taken as often as the other has
/// terms.
double compare(const Frontier& frontier, const Tally& a, const Tally& b,
               std::span<const std::uint32_t> cells) {
  const CellRow ours = frontier.cell_row(a.candidate);
  const CellRow theirs = frontier.cell_row(b.candidate);
  const bool alike = a.count == b.count;
  ExactSum sum;
  for (const std::uint32_t cell : cells) {
    const double plus = ours.score(cell).value_or(0.0);
    const double minus = theirs.score(cell).value_or(0.0);
    for (std::uint32_t i = 0; i < (alike ? 1 : b.count); ++i) sum.add(plus);
    for (std::uint32_t i = 0; i < (alike ? 1 : a.count); ++i) sum.add(-minus);
  }
  return sum.rounded();
}

/// Those with the best mean over the cells.
Numbers best_of(const Frontier& frontier, const Numbers& candidates,
                std::span<const std::uint32_t> cells) {
  std::vector<Tally> tallies;
  for (const std::uint32_t candidate : candidates) {
    const Tally mine = tally(frontier, candidate, cells);
    if (mine.count > 0) tallies.push_back(mine);
  }
  if (tallies.empty()) return candidates;
  double floor = -std::numeric_limits<double>::infinity();
  for (const Tally& each : tallies) floor = std::max(floor, each.least());

  const Tally* best = nullptr;
  Numbers kept;
  for (const Tally& each : tallies) {
    if (each.most() < floor) continue;
    const double ahead = best == nullptr ? 1.0 : compare(frontier, each, *best, cells);
    if (ahead < 0.0) continue;
    if (ahead > 0.0) {
      kept.clear();
      best = &each;
    }
    kept.push_back(each.candidate);
  }
  return kept;
}

/// All probabilities, by every order of batches, each state of the search gone through once.
class Enumeration {
 public:
  Enumeration(const Frontier& frontier, std::uint32_t batch) : frontier_(frontier), batch_(batch) {}

  std::vector<double> chances(const Numbers& alive, std::uint32_t cells_left) {
    std::uint64_t key = 0;
    for (const std::uint32_t candidate : alive) key |= std::uint64_t{1} << candidate;
    const auto known = known_.find({key, cells_left});
    if (known != known_.end()) return known->second;
    return known_[{key, cells_left}] = compute(alive, cells_left);
  }

 private:
  std::vector<double> compute(const Numbers& alive, std::uint32_t cells_left) {
    std::vector<double> sum(frontier_.size());
    if (alive.size() == 1 || cells_left == 0) {
      for (const std::uint32_t candidate : alive) {
        sum[candidate] = 1.0 / static_cast<double>(alive.size());
      }
      return sum;
    }
    const auto size = static_cast<int>(
        std::min<std::uint32_t>(batch_, static_cast<std::uint32_t>(std::popcount(cells_left))));
    double batches = 0.0;
    for (std::uint32_t taken = cells_left; taken != 0; taken = (taken - 1) & cells_left) {
      if (std::popcount(taken) != size) continue;
      const std::vector<double> rest =
          chances(best_of(frontier_, alive, cells_of(taken)), cells_left & ~taken);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += rest[i];
      batches += 1.0;
    }
    for (double& chance : sum) chance /= batches;
    return sum;
  }

  static Numbers cells_of(std::uint32_t bits) {
    Numbers cells;
    for (std::uint32_t cell = 0; cell < kCells; ++cell) {
      if ((bits >> cell & 1U) != 0) cells.push_back(cell);
    }
    return cells;
  }

  const Frontier& frontier_;
  std::uint32_t batch_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::vector<double>> known_;
};

Numbers everybody(const Frontier& frontier) {
  Numbers all(frontier.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

}  // namespace

std::uint32_t batch_lexicase(const Frontier& frontier, std::uint32_t batch, Rng& rng) {
  const Numbers order = rng.shuffle(frontier.cells());
  Numbers alive = everybody(frontier);
  for (std::size_t at = 0; at < order.size() && alive.size() > 1; at += batch) {
    const std::size_t size = std::min<std::size_t>(batch, order.size() - at);
    alive = best_of(frontier, alive, std::span(order).subspan(at, size));
  }
  return alive.size() == 1 ? alive.front() : alive[rng.below(alive.size())];
}

std::vector<Chance> batch_lexicase_chances(const Frontier& frontier, std::uint32_t batch) {
  if (frontier.cells() > kCells || frontier.size() > kCandidates) {
    throw std::invalid_argument(
        "the distribution of 'batch_lexicase' goes through every order of batches: at most 12 "
        "cells and 64 candidates");
  }
  const std::vector<double> chances =
      Enumeration(frontier, batch)
          .chances(everybody(frontier), (std::uint32_t{1} << frontier.cells()) - 1);
  std::vector<Chance> found;
  for (std::uint32_t i = 0; i < chances.size(); ++i) {
    if (chances[i] > 0.0) found.push_back({i, chances[i]});
  }
  return found;
}

}  // namespace gepa
