#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gepa/score_row.hpp"

namespace gepa {

/// Where the scores that were handed over belong: by ascending column, the position that each was
/// handed over at. Columns are empty for all of them, positions are empty for "as they came".
struct Placement {
  std::size_t size = 0;
  std::vector<std::uint32_t> columns;
  std::vector<std::uint32_t> positions;

  [[nodiscard]] std::uint32_t column(std::size_t i) const noexcept {
    return columns.empty() ? static_cast<std::uint32_t>(i) : columns[i];
  }
  [[nodiscard]] std::size_t position(std::size_t i) const noexcept {
    return positions.empty() ? i : positions[i];
  }
};

/// Scores by candidate and column. A row that was handed out stays as it is, whatever comes later.
class ScoreTable {
 public:
  using Row = std::shared_ptr<const ScoreRow>;

  explicit ScoreTable(std::uint32_t columns) noexcept : columns_(columns) {}

  [[nodiscard]] std::uint32_t columns() const noexcept { return columns_; }
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

  /// Where a candidate's scores belong; the named columns come in any order. Throws ScoreError.
  [[nodiscard]] Placement place(std::size_t candidate, std::size_t scores,
                                std::optional<std::span<const std::int64_t>> columns) const;

  /// A candidate's row. Throws ScoreError.
  [[nodiscard]] static Row make_row(std::size_t candidate, std::span<const double> scores,
                                    const Placement& placement);

  /// Makes room, so that the next append cannot fail.
  void reserve_one();
  void append(Row row) noexcept;
  void replace(std::size_t candidate, Row row) noexcept;

  [[nodiscard]] const ScoreRow& row(std::size_t candidate) const noexcept {
    return *rows_[candidate];
  }
  [[nodiscard]] const Row& shared_row(std::size_t candidate) const noexcept {
    return rows_[candidate];
  }
  [[nodiscard]] std::optional<double> score(std::size_t candidate,
                                            std::uint32_t column) const noexcept {
    return rows_[candidate]->score(column);
  }

 private:
  [[nodiscard]] Placement place_named(std::size_t candidate,
                                      std::span<const std::int64_t> columns) const;

  std::uint32_t columns_;
  std::vector<Row> rows_;
};

/// Both rows in one. Throws ScoreError where they share a column; `columns_per_row` turns a column
/// into the row that the error names.
[[nodiscard]] ScoreTable::Row united(std::size_t candidate, const ScoreRow& row,
                                     const ScoreRow& more, std::uint32_t columns,
                                     std::uint32_t columns_per_row);

}  // namespace gepa
