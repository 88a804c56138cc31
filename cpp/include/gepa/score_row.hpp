#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gepa {

/// The scores of one candidate, by ascending column; it never changes once it is made.
///
/// Eight bytes a score, and two more where some columns are missing: columns are kept by their low
/// half, with the place where each run of 65,536 columns begins.
class ScoreRow {
 public:
  ScoreRow() = default;

  /// Scores for all columns from 0.
  explicit ScoreRow(std::vector<double> scores) noexcept;

  /// Scores for the named columns, ascending and distinct, one each.
  ScoreRow(std::vector<double> scores, std::span<const std::uint32_t> columns);

  [[nodiscard]] std::span<const double> scores() const noexcept { return scores_; }
  [[nodiscard]] std::size_t size() const noexcept { return scores_.size(); }

  /// Whether the scores are for all columns from 0.
  [[nodiscard]] bool dense() const noexcept { return low_.empty(); }

  [[nodiscard]] std::optional<double> score(std::uint32_t column) const noexcept;

  /// The columns, ascending.
  [[nodiscard]] std::vector<std::uint32_t> columns() const;

  /// Calls visit(column, score) by ascending column.
  template <typename Visit>
  void visit(Visit visit) const {
    if (dense()) {
      for (std::size_t i = 0; i < scores_.size(); ++i)
        visit(static_cast<std::uint32_t>(i), scores_[i]);
      return;
    }
    for (std::size_t run = 0; run + 1 < starts_.size(); ++run) {
      const auto base = static_cast<std::uint32_t>(run << kLowBits);
      for (std::size_t i = starts_[run]; i < starts_[run + 1]; ++i)
        visit(base | low_[i], scores_[i]);
    }
  }

 private:
  static constexpr unsigned kLowBits = 16;

  std::vector<double> scores_;
  std::vector<std::uint16_t> low_;
  std::vector<std::uint32_t> starts_;
};

}  // namespace gepa
