#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gepa/cells.hpp"
#include "gepa/reduction.hpp"
#include "gepa/score_table.hpp"
#include "gepa/standings.hpp"

namespace gepa {

/// What the cells of a frontier stand for.
enum class FrontierKind { instance };

/// Throws std::invalid_argument naming the known kinds.
[[nodiscard]] FrontierKind frontier_kind(std::string_view name);
[[nodiscard]] std::string_view name(FrontierKind kind) noexcept;

/// What adding a candidate did: the cells that it now holds alone, having beaten whoever held them,
/// and those that it now shares. Ascending.
struct AddReport {
  std::uint32_t candidate;
  std::vector<std::uint32_t> improved;
  std::vector<std::uint32_t> tied;
};

/// The score matrix of a run and everything that is asked of it at each step.
///
/// Candidates are numbered in the order in which they are added; none is ever removed. Higher
/// scores are better; ties are exact. A candidate or instance that does not exist throws
/// std::out_of_range. Reading fills a cache: one frontier is for one thread at a time.
class Frontier {
 public:
  explicit Frontier(std::uint32_t instances, FrontierKind kind = FrontierKind::instance);

  [[nodiscard]] std::uint32_t instances() const noexcept { return scores_.columns(); }
  [[nodiscard]] FrontierKind kind() const noexcept { return kind_; }
  [[nodiscard]] std::size_t size() const noexcept { return scores_.size(); }

  /// Adds the next candidate with a score for each instance, or for the named ones alone, in any
  /// order. Throws ScoreError, and then nothing has changed. O(instances touched), amortised.
  AddReport add(std::span<const double> scores,
                std::optional<std::span<const std::int64_t>> instances = std::nullopt);

  /// By mean, then coverage, then age.
  [[nodiscard]] std::uint32_t best() const;
  [[nodiscard]] double mean(std::size_t candidate) const;
  [[nodiscard]] double total(std::size_t candidate) const;
  [[nodiscard]] std::uint32_t coverage(std::size_t candidate) const;
  [[nodiscard]] std::optional<double> score(std::size_t candidate, std::size_t instance) const;

  [[nodiscard]] std::optional<double> cell_best(std::size_t cell) const;
  [[nodiscard]] std::span<const std::uint32_t> members(std::size_t cell) const;
  [[nodiscard]] std::uint32_t cells() const noexcept { return cells_.count(); }

  /// Computed at the first call after an add.
  [[nodiscard]] const Reduction& reduction() const;

 private:
  void require_candidate(std::size_t candidate) const;
  void require_cell(std::size_t cell) const;

  FrontierKind kind_;
  ScoreTable scores_;
  Standings standings_;
  Cells cells_;
  mutable std::optional<Reduction> reduction_;
};

}  // namespace gepa
