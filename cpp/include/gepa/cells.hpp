#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gepa/score_table.hpp"
#include "gepa/standings.hpp"

namespace gepa {

/// What one candidate's scores do to the cells: those it comes to hold alone, and those it comes to
/// share.
struct Claims {
  std::vector<std::uint32_t> improved;
  std::vector<std::uint32_t> tied;
};

/// The cells of a frontier: the best score of each and the candidates that reached it.
///
/// A cell is a number and nothing more; the kind of the frontier decides what it stands for.
class Cells {
 public:
  explicit Cells(std::uint32_t count);

  [[nodiscard]] std::uint32_t count() const noexcept {
    return static_cast<std::uint32_t>(best_.size());
  }

  [[nodiscard]] Claims claims(const ScoreRow& row) const;

  /// Makes room, so that settling these claims cannot fail.
  void reserve(const Claims& claims);

  /// Enters the next candidate, which must be in the standings.
  void settle(const ScoreRow& row, const Standings& standings) noexcept;

  [[nodiscard]] std::optional<double> best(std::uint32_t cell) const noexcept;

  /// Ascending.
  [[nodiscard]] std::span<const std::uint32_t> members(std::uint32_t cell) const noexcept {
    return members_[cell];
  }

  /// The member that the standings rank highest. The cell must have one.
  [[nodiscard]] std::uint32_t strongest(std::uint32_t cell) const noexcept {
    return strongest_[cell];
  }

  /// The cells of a candidate as a bit set, 64 to a word.
  [[nodiscard]] std::span<const std::uint64_t> held(std::size_t candidate) const noexcept {
    return {held_.data() + candidate * words_, words_};
  }
  [[nodiscard]] std::size_t words() const noexcept { return words_; }

 private:
  void take(std::uint32_t cell, std::uint32_t candidate, double score) noexcept;
  void join(std::uint32_t cell, std::uint32_t candidate, const Standings& standings) noexcept;
  [[nodiscard]] std::uint64_t& word(std::uint32_t cell, std::uint32_t candidate) noexcept;

  std::vector<double> best_;
  std::vector<std::vector<std::uint32_t>> members_;
  std::vector<std::uint32_t> strongest_;
  std::size_t words_;
  std::vector<std::uint64_t> held_;
  std::uint32_t candidates_ = 0;
};

}  // namespace gepa
