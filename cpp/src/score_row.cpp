#include "gepa/score_row.hpp"

#include <algorithm>
#include <utility>

namespace gepa {

ScoreRow::ScoreRow(std::vector<double> scores) noexcept : scores_(std::move(scores)) {}

ScoreRow::ScoreRow(std::vector<double> scores, std::span<const std::uint32_t> columns)
    : scores_(std::move(scores)) {
  if (columns.empty()) return;
  low_.reserve(columns.size());
  starts_.reserve((columns.back() >> kLowBits) + std::size_t{2});
  for (const std::uint32_t column : columns) {
    while (starts_.size() <= column >> kLowBits) {
      starts_.push_back(static_cast<std::uint32_t>(low_.size()));
    }
    low_.push_back(static_cast<std::uint16_t>(column));
  }
  starts_.push_back(static_cast<std::uint32_t>(low_.size()));
}

std::optional<double> ScoreRow::score(std::uint32_t column) const noexcept {
  if (dense()) return column < size() ? std::optional(scores_[column]) : std::nullopt;
  const std::size_t run = column >> kLowBits;
  if (run + 1 >= starts_.size()) return std::nullopt;
  const auto low = static_cast<std::uint16_t>(column);
  const auto end = low_.begin() + starts_[run + 1];
  const auto found = std::lower_bound(low_.begin() + starts_[run], end, low);
  if (found == end || *found != low) return std::nullopt;
  return scores_[static_cast<std::size_t>(found - low_.begin())];
}

std::vector<std::uint32_t> ScoreRow::columns() const {
  std::vector<std::uint32_t> all;
  all.reserve(size());
  visit([&](std::uint32_t column, double) { all.push_back(column); });
  return all;
}

}  // namespace gepa
