#include "gepa/score_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "gepa/errors.hpp"
#include "grow.hpp"

namespace gepa {
namespace {

void require_finite(double score, std::size_t candidate, std::int64_t row) {
  if (std::isfinite(score)) return;
  throw ScoreError("the score must be finite, not " + std::to_string(score), candidate, row);
}

void require_count(std::size_t found, std::size_t wanted, const char* of, std::size_t candidate) {
  if (found == wanted) return;
  throw ScoreError("got " + std::to_string(found) + " scores for " + std::to_string(wanted) + of,
                   candidate, std::nullopt);
}

std::vector<std::size_t> ascending(std::span<const std::int64_t> columns) {
  std::vector<std::size_t> order(columns.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!std::is_sorted(columns.begin(), columns.end())) {
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return columns[a] < columns[b]; });
  }
  return order;
}

}  // namespace

ScoreRow ScoreTable::make_row(std::span<const double> scores,
                              std::optional<std::span<const std::int64_t>> columns) const {
  if (scores.empty()) {
    throw ScoreError("a candidate needs at least one score", rows_.size(), std::nullopt);
  }
  return columns ? partial_row(scores, *columns) : full_row(scores);
}

ScoreRow ScoreTable::full_row(std::span<const double> scores) const {
  require_count(scores.size(), columns_, " instances; name the instances when some are missing",
                rows_.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    require_finite(scores[i], rows_.size(), static_cast<std::int64_t>(i));
  }
  return {{scores.begin(), scores.end()}, {}};
}

ScoreRow ScoreTable::partial_row(std::span<const double> scores,
                                 std::span<const std::int64_t> columns) const {
  const std::size_t candidate = rows_.size();
  require_count(scores.size(), columns.size(), " named instances", candidate);
  ScoreRow row;
  row.scores.reserve(scores.size());
  row.columns.reserve(scores.size());
  for (const std::size_t at : ascending(columns)) {
    const std::int64_t column = columns[at];
    if (column < 0 || column >= std::int64_t{columns_}) {
      throw ScoreError("there is no such instance; the frontier has " + std::to_string(columns_),
                       candidate, column);
    }
    if (!row.columns.empty() && row.columns.back() == column) {
      throw ScoreError("the instance is named twice", candidate, column);
    }
    require_finite(scores[at], candidate, column);
    row.scores.push_back(scores[at]);
    row.columns.push_back(static_cast<std::uint32_t>(column));
  }
  if (row.columns.size() == columns_) row.columns = {};
  return row;
}

void ScoreTable::reserve_one() {
  make_room(rows_, 1);
}

void ScoreTable::append(ScoreRow row) noexcept {
  rows_.push_back(std::move(row));
}

std::optional<double> ScoreTable::score(std::size_t candidate,
                                        std::uint32_t column) const noexcept {
  const ScoreRow& row = rows_[candidate];
  if (row.columns.empty()) return row.scores[column];
  const auto found = std::lower_bound(row.columns.begin(), row.columns.end(), column);
  if (found == row.columns.end() || *found != column) return std::nullopt;
  return row.scores[static_cast<std::size_t>(found - row.columns.begin())];
}

}  // namespace gepa
