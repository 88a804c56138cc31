#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "gepa/score_row.hpp"
#include "gepa/standings.hpp"

namespace gepa {

/// A candidate's scores by cell: those of a row of scores, then means from cell `first_mean` on, of
/// which NaN stands for none.
struct CellRow {
  const ScoreRow* row = nullptr;
  std::uint32_t first_mean = 0;
  std::span<const double> means;

  /// Calls visit(cell, score) by ascending cell.
  template <typename Visit>
  void visit(Visit visit) const {
    if (row != nullptr) row->visit(visit);
    for (std::uint32_t i = 0; i < means.size(); ++i) {
      if (means[i] == means[i]) visit(first_mean + i, means[i]);
    }
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return (row == nullptr ? 0 : row->size()) + means.size();
  }
  [[nodiscard]] std::optional<double> score(std::uint32_t cell) const noexcept;
};

/// What one candidate's scores do to the cells: those it comes to hold alone, and those it comes to
/// share.
struct Claims {
  std::vector<std::uint32_t> improved;
  std::vector<std::uint32_t> tied;
};

/// The cells of a frontier: the best score of each and the candidates that reached it.
///
/// A cell is a number and nothing more; the kind of the frontier decides what it stands for. Who is
/// a member follows from scores and best scores alone, so that beating any number of members costs
/// one cell no more than beating one.
class Cells {
 public:
  explicit Cells(std::uint32_t count);

  [[nodiscard]] std::uint32_t count() const noexcept {
    return static_cast<std::uint32_t>(best_.size());
  }

  [[nodiscard]] Claims claims(const CellRow& row) const;

  /// Makes room, so that settling these claims cannot fail.
  void reserve(const Claims& claims);

  /// Enters scores that are new for a candidate, which must be in the standings.
  void settle(std::uint32_t candidate, const CellRow& row, const Standings& standings) noexcept;

  /// Puts a candidate whose mean changed in its place among the members of each of its cells.
  void restand(std::uint32_t candidate, const CellRow& row, const Standings& standings) noexcept;

  /// Makes room, so that refilling a cell out of so many candidates cannot fail.
  void reserve(std::uint32_t cell, std::size_t candidates);

  /// Finds best score and members anew; score_of(candidate) is NaN for none.
  template <typename ScoreOf>
  void refill(std::uint32_t cell, const Standings& standings, ScoreOf score_of) noexcept {
    clear(cell);
    for (std::uint32_t candidate = 0; candidate < standings.size(); ++candidate) {
      const double score = score_of(candidate);
      if (score == score) enter(cell, candidate, score, standings);
    }
  }

  [[nodiscard]] std::optional<double> best(std::uint32_t cell) const noexcept;
  [[nodiscard]] bool is_best(std::uint32_t cell, double score) const noexcept {
    return best_[cell] == score;
  }

  /// Ascending.
  [[nodiscard]] std::span<const std::uint32_t> members(std::uint32_t cell) const noexcept {
    return members_[cell];
  }

  /// The member that the standings rank highest. The cell must have one.
  [[nodiscard]] std::uint32_t strongest(std::uint32_t cell) const noexcept {
    return strongest_[cell];
  }

 private:
  void clear(std::uint32_t cell) noexcept;
  void enter(std::uint32_t cell, std::uint32_t candidate, double score,
             const Standings& standings) noexcept;
  void take(std::uint32_t cell, std::uint32_t candidate, double score) noexcept;
  void join(std::uint32_t cell, std::uint32_t candidate, const Standings& standings) noexcept;
  void find_strongest(std::uint32_t cell, const Standings& standings) noexcept;

  std::vector<double> best_;
  std::vector<std::vector<std::uint32_t>> members_;
  std::vector<std::uint32_t> strongest_;
};

}  // namespace gepa
