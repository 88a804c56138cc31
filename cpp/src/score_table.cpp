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

/// The positions by ascending column; empty where they already ascend.
std::vector<std::uint32_t> ascending(std::span<const std::int64_t> columns) {
  if (std::is_sorted(columns.begin(), columns.end())) return {};
  std::vector<std::uint32_t> order(columns.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return columns[a] < columns[b]; });
  return order;
}

struct Entry {
  std::uint32_t column;
  double score;
};

std::vector<Entry> entries(const ScoreRow& row) {
  std::vector<Entry> all;
  all.reserve(row.size());
  row.visit([&](std::uint32_t column, double score) { all.push_back({column, score}); });
  return all;
}

bool by_column(const Entry& a, const Entry& b) {
  return a.column < b.column;
}

}  // namespace

Placement ScoreTable::place(std::size_t candidate, std::size_t scores,
                            std::optional<std::span<const std::int64_t>> columns) const {
  if (scores == 0)
    throw ScoreError("a candidate needs at least one score", candidate, std::nullopt);
  if (columns) {
    require_count(scores, columns->size(), " named instances", candidate);
    return place_named(candidate, *columns);
  }
  require_count(scores, columns_, " instances; name the instances when some are missing",
                candidate);
  return {scores, {}, {}};
}

Placement ScoreTable::place_named(std::size_t candidate,
                                  std::span<const std::int64_t> columns) const {
  Placement placement{columns.size(), {}, ascending(columns)};
  placement.columns.reserve(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::int64_t column = columns[placement.position(i)];
    if (column < 0 || column >= std::int64_t{columns_}) {
      throw ScoreError("there is no such instance; the frontier has " + std::to_string(columns_),
                       candidate, column);
    }
    if (i > 0 && placement.columns.back() == column) {
      throw ScoreError("the instance is named twice", candidate, column);
    }
    placement.columns.push_back(static_cast<std::uint32_t>(column));
  }
  if (placement.columns.size() == columns_) placement.columns = {};
  return placement;
}

ScoreTable::Row ScoreTable::make_row(std::size_t candidate, std::span<const double> scores,
                                     const Placement& placement) {
  std::vector<double> ordered;
  ordered.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double score = scores[placement.position(i)];
    require_finite(score, candidate, placement.column(i));
    ordered.push_back(score);
  }
  return std::make_shared<const ScoreRow>(std::move(ordered), placement.columns);
}

void ScoreTable::reserve_one() {
  make_room(rows_, 1);
}

void ScoreTable::append(Row row) noexcept {
  rows_.push_back(std::move(row));
}

void ScoreTable::replace(std::size_t candidate, Row row) noexcept {
  rows_[candidate] = std::move(row);
}

ScoreTable::Row united(std::size_t candidate, const ScoreRow& row, const ScoreRow& more,
                       std::uint32_t columns, std::uint32_t columns_per_row) {
  const std::vector<Entry> ours = entries(row);
  const std::vector<Entry> theirs = entries(more);
  std::vector<Entry> all(ours.size() + theirs.size());
  std::merge(ours.begin(), ours.end(), theirs.begin(), theirs.end(), all.begin(), by_column);

  std::vector<double> scores;
  std::vector<std::uint32_t> at;
  for (const Entry& entry : all) {
    if (!at.empty() && at.back() == entry.column) {
      throw ScoreError("the candidate already has a score there", candidate,
                       entry.column / columns_per_row);
    }
    scores.push_back(entry.score);
    at.push_back(entry.column);
  }
  scores.shrink_to_fit();
  if (at.size() == columns) at = {};
  return std::make_shared<const ScoreRow>(std::move(scores), at);
}

}  // namespace gepa
