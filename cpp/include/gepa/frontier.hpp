#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gepa/cells.hpp"
#include "gepa/objectives.hpp"
#include "gepa/reduction.hpp"
#include "gepa/score_table.hpp"
#include "gepa/standings.hpp"

namespace gepa {

/// What the cells of a frontier stand for:
/// `instance`   an instance each: the score on it;
/// `objective`  an objective each: its mean over the instances that report it;
/// `hybrid`     the instances, then the objectives;
/// `cartesian`  a pair each: cell instance · objectives + objective.
enum class FrontierKind : std::uint8_t { instance = 0, objective = 1, hybrid = 2, cartesian = 3 };

/// Throws std::invalid_argument naming the known kinds.
[[nodiscard]] FrontierKind frontier_kind(std::string_view name);
[[nodiscard]] std::string_view name(FrontierKind kind) noexcept;

/// What adding scores did: the cells that their candidate now holds alone, having beaten whoever
/// held them, those that it now shares, and those that it held before and lost, which only a mean
/// that fell can do. Ascending.
struct AddReport {
  std::uint32_t candidate;
  std::vector<std::uint32_t> improved;
  std::vector<std::uint32_t> tied;
  std::vector<std::uint32_t> lost;
};

/// What a cell stands for.
struct CellKey {
  std::optional<std::uint32_t> instance;
  std::optional<std::uint32_t> objective;
};

using NamedInstances = std::optional<std::span<const std::int64_t>>;

/// The score matrix of a run and everything that is asked of it at each step.
///
/// Candidates are numbered in the order in which they are added; none is ever removed. Higher
/// scores are better, objectives are better in their direction; ties are exact. Candidates, cells,
/// instances and objectives that do not exist throw std::out_of_range. Reading fills a cache: one
/// frontier is for one thread at a time.
class Frontier {
 public:
  /// Throws std::invalid_argument for no instances, for a kind that needs objectives without any,
  /// and for more cells than 32 bits can number.
  explicit Frontier(std::uint32_t instances, FrontierKind kind = FrontierKind::instance,
                    std::vector<Direction> directions = {});

  [[nodiscard]] std::uint32_t instances() const noexcept { return scores_.columns(); }
  [[nodiscard]] FrontierKind kind() const noexcept { return kind_; }
  [[nodiscard]] const Objectives& objectives() const noexcept { return objectives_; }
  [[nodiscard]] std::size_t size() const noexcept { return scores_.size(); }

  /// Adds the next candidate with a score for each instance, or for the named ones alone, in any
  /// order. Throws ScoreError, and then nothing has changed. O(instances touched), amortised.
  AddReport add(std::span<const double> scores, NamedInstances instances = std::nullopt,
                const ObjectiveScores* objectives = nullptr);

  /// Adds scores of a candidate on instances that it had none on. Throws ScoreError, and then
  /// nothing has changed. O(its scores), the members of the cells that it leads, and for the kinds
  /// with cells of objectives O(candidates).
  AddReport extend(std::size_t candidate, std::span<const double> scores,
                   NamedInstances instances = std::nullopt,
                   const ObjectiveScores* objectives = nullptr);

  /// By mean, then coverage, then age.
  [[nodiscard]] std::uint32_t best() const;
  /// By mean of an objective in its direction, then coverage, then age; empty while nobody has it.
  [[nodiscard]] std::optional<std::uint32_t> best(std::size_t objective) const;
  [[nodiscard]] double mean(std::size_t candidate) const;
  [[nodiscard]] double total(std::size_t candidate) const;
  [[nodiscard]] std::uint32_t coverage(std::size_t candidate) const;
  [[nodiscard]] std::optional<double> score(std::size_t candidate, std::size_t instance) const;
  [[nodiscard]] std::optional<double> objective_mean(std::size_t candidate,
                                                     std::size_t objective) const;
  [[nodiscard]] std::optional<double> objective_score(std::size_t candidate, std::size_t instance,
                                                      std::size_t objective) const;

  /// For each instance the share of the survivors with a score on it that fall short of a score; 1
  /// where nobody has one. O(survivors · instances).
  [[nodiscard]] std::vector<double> misses(double perfect) const;

  /// A candidate's scores; they stay as they are, whatever is added later.
  [[nodiscard]] ScoreTable::Row scores(std::size_t candidate) const;

  [[nodiscard]] std::uint32_t cells() const noexcept { return cells_.count(); }
  [[nodiscard]] CellKey key(std::size_t cell) const;
  [[nodiscard]] std::optional<double> cell_best(std::size_t cell) const;
  [[nodiscard]] std::span<const std::uint32_t> members(std::size_t cell) const;

  /// Inside, larger is better in every cell.
  [[nodiscard]] CellRow cell_row(std::size_t candidate) const noexcept;
  [[nodiscard]] const Cells& all_cells() const noexcept { return cells_; }
  [[nodiscard]] const Standings& standings() const noexcept { return standings_; }

  /// Brought up to date at the first call after scores came in.
  [[nodiscard]] const Reduction& reduction() const;

 private:
  struct Entry;

  [[nodiscard]] Entry make_entry(std::size_t candidate, std::span<const double> scores,
                                 NamedInstances instances, const ObjectiveScores* objectives) const;
  [[nodiscard]] Entry united_entry(std::size_t candidate, const Entry& more) const;
  void complete(std::size_t candidate, Entry& entry) const;
  [[nodiscard]] CellRow cell_row(const ScoreRow& scores, const ScoreRow& objectives,
                                 std::span<const double> means) const noexcept;
  [[nodiscard]] bool has_means() const noexcept;
  [[nodiscard]] std::uint32_t first_mean() const noexcept;
  void refill_means(std::uint32_t candidate, AddReport& report);
  void require_candidate(std::size_t candidate) const;
  void require_instance(std::size_t instance) const;
  void require_objective(std::size_t objective) const;
  void require_cell(std::size_t cell) const;

  FrontierKind kind_;
  ScoreTable scores_;
  Objectives objectives_;
  Standings standings_;
  Cells cells_;
  mutable Reduction reduction_;
  mutable bool stale_ = false;
};

}  // namespace gepa
