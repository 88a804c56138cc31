#include "gepa/criteria.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include "gepa/errors.hpp"
#include "gepa/exact_sum.hpp"
#include "rules.hpp"

namespace gepa {
namespace {

using Deltas = std::vector<std::optional<double>>;

struct Criterion {
  std::string_view name;
  Verdict (*weigh)(Verdict primary, const Deltas& deltas, const ObjectiveCriterion& options);
};

bool any_improved(const Deltas& deltas, const ObjectiveCriterion& options) {
  return std::any_of(deltas.begin(), deltas.end(), [&](const std::optional<double>& delta) {
    return delta && *delta > 0.0 && *delta >= options.min_delta;
  });
}

bool any_guard_broken(const Deltas& deltas, const ObjectiveCriterion& options) {
  return std::any_of(options.guarded.begin(), options.guarded.end(), [&](std::uint32_t objective) {
    return !deltas[objective] || *deltas[objective] < -options.tolerance;
  });
}

constexpr std::array kCriteria{
    Criterion{"primary",
              [](Verdict primary, const Deltas&, const ObjectiveCriterion&) { return primary; }},
    Criterion{"any_objective_improved",
              [](Verdict, const Deltas& deltas, const ObjectiveCriterion& options) {
                return any_improved(deltas, options) ? Verdict::accepted : Verdict::rejected;
              }},
    Criterion{"primary_or_objective",
              [](Verdict primary, const Deltas& deltas, const ObjectiveCriterion& options) {
                return any_improved(deltas, options) ? Verdict::accepted : primary;
              }},
    Criterion{"protected_objective_guard",
              [](Verdict primary, const Deltas& deltas, const ObjectiveCriterion& options) {
                return any_guard_broken(deltas, options) ? Verdict::rejected : primary;
              }},
};

void require_at_least_zero(double value, const char* name) {
  if (std::isfinite(value) && value >= 0.0) return;
  throw std::invalid_argument(std::string(name) + " must be finite and at least 0");
}

void require_sound(const ObjectiveCriterion& options) {
  require_at_least_zero(options.min_delta, "min_delta");
  require_at_least_zero(options.tolerance, "tolerance");
  for (const std::uint32_t objective : options.guarded) {
    if (objective < options.directions.size()) continue;
    throw std::invalid_argument("there is no objective " + std::to_string(objective) +
                                " to protect");
  }
}

void require_rows(const ObjectiveScores& scores, std::size_t rows, std::size_t objectives) {
  if (scores.values.size() == rows * objectives) return;
  throw ScoreError("got " + std::to_string(scores.values.size()) + " objective scores for " +
                       std::to_string(rows) + " rows of " + std::to_string(objectives),
                   std::nullopt, std::nullopt);
}

void require_finite(double value, std::size_t row, std::size_t objective) {
  if (std::isfinite(value)) return;
  throw ScoreError("the score of objective " + std::to_string(objective) + " must be finite, not " +
                       std::to_string(value),
                   std::nullopt, static_cast<std::int64_t>(row));
}

/// The rise of an objective's mean where both sides have it, in its direction.
std::optional<double> rise(const ObjectiveScores& before, const ObjectiveScores& after,
                           std::size_t rows, std::size_t objective,
                           std::span<const Direction> directions) {
  ExactSum sum;
  std::size_t count = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t at = row * directions.size() + objective;
    if (!before.has(at) || !after.has(at)) continue;
    require_finite(before.values[at], row, objective);
    require_finite(after.values[at], row, objective);
    sum.add(after.values[at]);
    sum.add(-before.values[at]);
    ++count;
  }
  if (count == 0) return std::nullopt;
  const double mean = sum.rounded() / static_cast<double>(count);
  return directions[objective] == Direction::minimize ? -mean : mean;
}

}  // namespace

Decision weigh_objectives(Decision decision, std::string_view criterion,
                          const ObjectiveScores& before, const ObjectiveScores& after,
                          const ObjectiveCriterion& options) {
  const Criterion& found = find_named(kCriteria, criterion, "acceptance criterion");
  require_sound(options);
  require_rows(before, decision.rows, options.directions.size());
  require_rows(after, decision.rows, options.directions.size());
  decision.objective_deltas.clear();
  for (std::size_t i = 0; i < options.directions.size(); ++i) {
    decision.objective_deltas.push_back(rise(before, after, decision.rows, i, options.directions));
  }
  decision.criterion = criterion;
  decision.verdict = found.weigh(decision.verdict, decision.objective_deltas, options);
  decision.accepted = decision.verdict == Verdict::accepted;
  if (decision.verdict != Verdict::undecided) decision.more_rows = 0;
  return decision;
}

}  // namespace gepa
