#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gepa/score_table.hpp"

namespace gepa {

/// Which way an objective is better.
enum class Direction : std::uint8_t { maximize = 0, minimize = 1 };

/// Throws std::invalid_argument naming the known directions.
[[nodiscard]] Direction direction(std::string_view name);
[[nodiscard]] std::string_view name(Direction direction) noexcept;

/// The objective scores of some rows as they are handed over: row after row, a value for each
/// objective. `reported` has a flag for each value; where it is empty, all are reported.
struct ObjectiveScores {
  std::span<const double> values;
  std::span<const std::uint8_t> reported;

  [[nodiscard]] bool has(std::size_t at) const noexcept {
    return reported.empty() || reported[at] != 0;
  }
};

/// How a candidate stands in each objective: the mean over the rows that report it, larger always
/// better, and how many they are. Where there are none the mean is NaN.
struct ObjectiveStandings {
  std::vector<double> means;
  std::vector<std::uint32_t> coverages;
};

/// Objective scores by candidate, instance and objective. Inside, larger is always better: what is
/// to be minimised is kept with its sign turned.
class Objectives {
 public:
  /// Throws std::invalid_argument when instances times objectives exceeds 32 bits.
  Objectives(std::vector<Direction> directions, std::uint32_t instances);

  [[nodiscard]] std::uint32_t count() const noexcept {
    return static_cast<std::uint32_t>(directions_.size());
  }
  [[nodiscard]] std::span<const Direction> directions() const noexcept { return directions_; }
  [[nodiscard]] const ScoreTable& table() const noexcept { return table_; }

  /// A candidate's row: column instance · count + objective. Throws ScoreError.
  [[nodiscard]] ScoreTable::Row make_row(std::size_t candidate, const ObjectiveScores& scores,
                                         const Placement& placement) const;

  /// The row of a candidate that nothing is reported of.
  [[nodiscard]] const ScoreTable::Row& no_row() const noexcept { return no_row_; }

  /// Throws ScoreError for a sum beyond the range of a double.
  [[nodiscard]] ObjectiveStandings standings(std::size_t candidate, const ScoreRow& row) const;

  /// Makes room, so that the next append cannot fail.
  void reserve_one();
  void append(ScoreTable::Row row, const ObjectiveStandings& standings) noexcept;
  void replace(std::size_t candidate, ScoreTable::Row row,
               const ObjectiveStandings& standings) noexcept;

  /// The candidate's means, larger always better, NaN where there is none.
  [[nodiscard]] std::span<const double> means(std::size_t candidate) const noexcept {
    return {means_.data() + candidate * count(), count()};
  }
  [[nodiscard]] std::uint32_t coverage(std::size_t candidate,
                                       std::uint32_t objective) const noexcept {
    return coverages_[candidate * count() + objective];
  }

  /// In the objective's own direction.
  [[nodiscard]] double as_given(double value, std::uint32_t objective) const noexcept {
    return directions_[objective] == Direction::minimize ? -value : value;
  }

  /// By mean in the objective's direction, then coverage, then age; empty while nobody reports it.
  [[nodiscard]] std::optional<std::uint32_t> best(std::uint32_t objective) const noexcept;

 private:
  [[nodiscard]] bool outranks(std::size_t a, std::size_t b, std::uint32_t objective) const noexcept;

  std::vector<Direction> directions_;
  ScoreTable table_;
  ScoreTable::Row no_row_ = std::make_shared<const ScoreRow>();
  std::vector<double> means_;
  std::vector<std::uint32_t> coverages_;
};

}  // namespace gepa
