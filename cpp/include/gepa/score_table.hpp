#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gepa {

/// The scores of one candidate, by ascending column. `columns` is empty when every column has a
/// score.
struct ScoreRow {
  std::vector<double> scores;
  std::vector<std::uint32_t> columns;

  [[nodiscard]] std::uint32_t column(std::size_t position) const noexcept {
    return columns.empty() ? static_cast<std::uint32_t>(position) : columns[position];
  }
};

/// Scores by candidate and column: eight bytes each, four more where a candidate does not cover
/// every column.
class ScoreTable {
 public:
  explicit ScoreTable(std::uint32_t columns) noexcept : columns_(columns) {}

  [[nodiscard]] std::uint32_t columns() const noexcept { return columns_; }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

  /// The next candidate's row out of scores and, for partial coverage, their columns in any order.
  /// Throws ScoreError; changes nothing.
  [[nodiscard]] ScoreRow make_row(std::span<const double> scores,
                                  std::optional<std::span<const std::int64_t>> columns) const;

  /// Makes room, so that the next append cannot fail.
  void reserve_one();
  void append(ScoreRow row) noexcept;

  [[nodiscard]] const ScoreRow& row(std::size_t candidate) const noexcept {
    return rows_[candidate];
  }
  [[nodiscard]] std::optional<double> score(std::size_t candidate,
                                            std::uint32_t column) const noexcept;

 private:
  [[nodiscard]] ScoreRow full_row(std::span<const double> scores) const;
  [[nodiscard]] ScoreRow partial_row(std::span<const double> scores,
                                     std::span<const std::int64_t> columns) const;

  std::uint32_t columns_;
  std::vector<ScoreRow> rows_;
};

}  // namespace gepa
