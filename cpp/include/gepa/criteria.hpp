#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gepa/acceptance.hpp"
#include "gepa/objectives.hpp"

namespace gepa {

/// What objectives may do to a decision on the primary score.
struct ObjectiveCriterion {
  std::vector<Direction> directions;
  /// An objective has improved when its mean rose by this at least.
  double min_delta = 0.05;
  /// A protected objective may fall by this at most.
  double tolerance = 0.10;
  /// The objectives that are protected.
  std::vector<std::uint32_t> guarded;
};

/// A decision on the primary score, seen in the light of the objectives of parent and child on the
/// same rows:
/// `primary`                    it stands;
/// `any_objective_improved`     accepted when an objective has improved;
/// `primary_or_objective`       accepted when it stands so or when an objective has improved;
/// `protected_objective_guard`  rejected when a protected objective fell too far or cannot be
///                              compared; else it stands.
/// Means are over the rows that report the objective on both sides. Throws ScoreError and
/// std::invalid_argument as accept() does.
[[nodiscard]] Decision weigh_objectives(Decision decision, std::string_view criterion,
                                        const ObjectiveScores& before, const ObjectiveScores& after,
                                        const ObjectiveCriterion& options);

}  // namespace gepa
