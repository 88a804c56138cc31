#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "gepa/errors.hpp"

namespace gepa {

inline void require_finite(std::span<const double> scores, const char* when) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i])) continue;
    throw ScoreError(
        std::string("the score ") + when + " must be finite, not " + std::to_string(scores[i]),
        std::nullopt, static_cast<std::int64_t>(i));
  }
}

/// Scores of parent and child on the same rows. Throws ScoreError.
inline void require_comparable(std::span<const double> before, std::span<const double> after) {
  if (before.size() != after.size()) {
    throw ScoreError("got " + std::to_string(before.size()) + " scores before and " +
                         std::to_string(after.size()) + " after",
                     std::nullopt, std::nullopt);
  }
  if (before.empty()) {
    throw ScoreError("there are no scores to compare", std::nullopt, std::nullopt);
  }
  require_finite(before, "before");
  require_finite(after, "after");
}

}  // namespace gepa
