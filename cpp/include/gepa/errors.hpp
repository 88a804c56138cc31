#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace gepa {

/// Scores that cannot be ranked: not finite, of the wrong number, for a row twice or for no row at
/// all.
class ScoreError : public std::invalid_argument {
 public:
  ScoreError(const std::string& problem, std::optional<std::size_t> candidate,
             std::optional<std::int64_t> row);

  /// The index that the refused candidate would have had; empty outside of a frontier.
  [[nodiscard]] std::optional<std::size_t> candidate() const noexcept { return candidate_; }

  /// The row at fault; empty when the scores as a whole are.
  [[nodiscard]] std::optional<std::int64_t> row() const noexcept { return row_; }

 private:
  std::optional<std::size_t> candidate_;
  std::optional<std::int64_t> row_;
};

}  // namespace gepa
