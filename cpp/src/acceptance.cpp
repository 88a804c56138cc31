#include "gepa/acceptance.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "gepa/errors.hpp"
#include "gepa/exact_sum.hpp"
#include "rules.hpp"

namespace gepa {
namespace {

struct Rule {
  std::string_view name;
  bool (*accepts)(double rise, double margin);
};

constexpr std::array kRules{
    Rule{"strict_improvement", [](double rise, double margin) { return rise > margin; }},
    Rule{"improvement_or_equal", [](double rise, double margin) { return rise >= margin; }},
};

void require_comparable(std::span<const double> before, std::span<const double> after) {
  if (before.size() != after.size()) {
    throw ScoreError("got " + std::to_string(before.size()) + " scores before and " +
                         std::to_string(after.size()) + " after",
                     std::nullopt, std::nullopt);
  }
  if (before.empty())
    throw ScoreError("there are no scores to compare", std::nullopt, std::nullopt);
}

void require_finite(std::span<const double> scores, const char* when) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i])) continue;
    throw ScoreError(
        std::string("the score ") + when + " must be finite, not " + std::to_string(scores[i]),
        std::nullopt, static_cast<std::int64_t>(i));
  }
}

void require_sound_margin(double margin) {
  if (std::isfinite(margin) && margin >= 0.0) return;
  throw std::invalid_argument("margin must be finite and at least 0");
}

/// The rise of the mean; of the sum where there is no margin, since a tiny rise divided by n may
/// vanish.
double comparable_rise(const Decision& decision) noexcept {
  if (decision.margin == 0.0) return decision.delta;
  return decision.delta / static_cast<double>(decision.rows);
}

}  // namespace

Decision accept(std::string_view rule, std::span<const double> before,
                std::span<const double> after, double margin) {
  const Rule& found = find_rule(kRules, rule, "acceptance");
  require_sound_margin(margin);
  require_comparable(before, after);
  require_finite(before, "before");
  require_finite(after, "after");
  const double before_sum = exact_sum(before);
  const double after_sum = exact_sum(after);
  Decision decision{false,  before_sum,    after_sum,        after_sum - before_sum,
                    margin, before.size(), std::string(rule)};
  if (!std::isfinite(decision.delta)) {
    throw ScoreError("the scores add up beyond the range of a double", std::nullopt, std::nullopt);
  }
  decision.accepted = found.accepts(comparable_rise(decision), margin);
  return decision;
}

}  // namespace gepa
