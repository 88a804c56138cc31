#include "gepa/minibatch.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "gepa/rng.hpp"

namespace gepa {
namespace {

using Rows = std::vector<std::uint32_t>;

void require_some(std::size_t rows, std::uint32_t size) {
  if (rows == 0) throw std::invalid_argument("a minibatch needs at least one row to draw from");
  if (size == 0) throw std::invalid_argument("a minibatch needs a size of at least 1");
}

std::uint64_t batches(std::size_t rows, std::uint32_t size) {
  return (std::uint64_t{rows} + size - 1) / size;
}

/// The batch at its place in the order of its epoch.
Rows batch_of(Rows order, std::uint64_t index, std::uint32_t size) {
  const std::uint64_t rows = order.size();
  if (size >= rows) return order;
  Rows batch;
  batch.reserve(size);
  const std::uint64_t start = index % batches(rows, size) * size;
  for (std::uint64_t place = start; place < start + size; ++place)
    batch.push_back(order[place % rows]);
  return batch;
}

/// A row on its way through the epoch: at (2 · rank + 1) / 2n of it, n being the stratum's size.
struct Place {
  std::uint64_t odd;
  std::uint64_t size;
  std::uint32_t stratum;
  std::uint32_t row;

  [[nodiscard]] bool before(const Place& other) const noexcept {
    const std::uint64_t ours = odd * other.size;
    const std::uint64_t theirs = other.odd * size;
    return ours != theirs ? ours < theirs : stratum < other.stratum;
  }
};

std::vector<Rows> rows_by_stratum(std::span<const std::int64_t> strata) {
  std::map<std::int64_t, Rows> found;
  for (std::size_t row = 0; row < strata.size(); ++row) {
    found[strata[row]].push_back(static_cast<std::uint32_t>(row));
  }
  std::vector<Rows> all;
  all.reserve(found.size());
  for (auto& [stratum, rows] : found) all.push_back(std::move(rows));
  return all;
}

Rows stratified_order(std::span<const std::int64_t> strata, Rng rng) {
  const std::vector<Rows> groups = rows_by_stratum(strata);
  const Rows turns = rng.shuffle(static_cast<std::uint32_t>(groups.size()));
  std::vector<Place> places;
  places.reserve(strata.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto size = static_cast<std::uint32_t>(groups[i].size());
    const Rows shuffled = rng.shuffle(size);
    for (std::uint32_t rank = 0; rank < size; ++rank) {
      places.push_back({2 * std::uint64_t{rank} + 1, size, turns[i], groups[i][shuffled[rank]]});
    }
  }
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return a.before(b); });
  Rows order;
  for (const Place& place : places) order.push_back(place.row);
  return order;
}

std::vector<double> floored(std::span<const double> misses, double floor) {
  if (!(floor > 0.0 && floor <= 1.0)) {
    throw std::invalid_argument("floor must lie above 0 and not above 1");
  }
  std::vector<double> weights;
  for (std::size_t row = 0; row < misses.size(); ++row) {
    if (!(misses[row] >= 0.0 && misses[row] <= 1.0)) {
      throw std::invalid_argument("miss " + std::to_string(row) + " must lie between 0 and 1");
    }
    weights.push_back(floor + (1.0 - floor) * misses[row]);
  }
  return weights;
}

}  // namespace

std::vector<std::uint32_t> minibatch(std::uint64_t seed, std::uint64_t index, std::uint32_t rows,
                                     std::uint32_t size) {
  require_some(rows, size);
  Rng rng(seed, Stream::minibatch, index / batches(rows, size));
  return batch_of(rng.shuffle(rows), index, size);
}

std::vector<std::uint32_t> ordered_minibatch(std::uint64_t index, std::uint32_t rows,
                                             std::uint32_t size) {
  require_some(rows, size);
  Rows order(rows);
  std::iota(order.begin(), order.end(), 0U);
  return batch_of(std::move(order), index, size);
}

std::vector<std::uint32_t> stratified_minibatch(std::uint64_t seed, std::uint64_t index,
                                                std::span<const std::int64_t> strata,
                                                std::uint32_t size) {
  require_some(strata.size(), size);
  const Rng rng(seed, Stream::minibatch, index / batches(strata.size(), size));
  return batch_of(stratified_order(strata, rng), index, size);
}

std::vector<std::uint32_t> failure_weighted_minibatch(std::uint64_t seed, std::uint64_t index,
                                                      std::span<const double> misses,
                                                      std::uint32_t size, double floor) {
  require_some(misses.size(), size);
  std::vector<double> weights = floored(misses, floor);
  Rng rng(seed, Stream::minibatch, index);
  Rows batch;
  while (batch.size() < std::min<std::size_t>(size, misses.size())) {
    const std::size_t row = rng.choice(weights);
    weights[row] = 0.0;
    batch.push_back(static_cast<std::uint32_t>(row));
  }
  return batch;
}

}  // namespace gepa
