#include "gepa/acceptance.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "comparable.hpp"
#include "gepa/errors.hpp"
#include "gepa/evidence.hpp"
#include "gepa/exact_sum.hpp"
#include "rules.hpp"

namespace gepa {
namespace {

using Numbers = std::span<const double>;

struct Rule {
  std::string_view name;
  void (*judge)(Decision&, Numbers before, Numbers after, const AcceptanceOptions&);
};

/// The rise of the mean; of the sum where there is no margin, since a tiny rise divided by n may
/// vanish.
double comparable_rise(const Decision& decision) noexcept {
  if (decision.margin == 0.0) return decision.delta;
  return decision.delta / static_cast<double>(decision.rows);
}

void decide(Decision& decision, bool accepted) {
  decision.verdict = accepted ? Verdict::accepted : Verdict::rejected;
}

std::vector<double> differences(Numbers before, Numbers after, double margin) {
  std::vector<double> all;
  all.reserve(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double difference = after[i] - before[i] - margin;
    if (!std::isfinite(difference)) {
      throw ScoreError("the scores differ by more than the range of a double", std::nullopt,
                       static_cast<std::int64_t>(i));
    }
    all.push_back(difference);
  }
  return all;
}

void judge_paired(Decision& decision, Numbers before, Numbers after,
                  const AcceptanceOptions& options) {
  decision.p = sign_flip_p(differences(before, after, options.margin));
  decision.confidence = options.confidence;
  decide(decision, *decision.p <= 1.0 - options.confidence);
}

void judge_sequential(Decision& decision, Numbers before, Numbers after,
                      const AcceptanceOptions& options) {
  const Race found = race(differences(before, after, options.margin), options);
  decision.verdict = found.verdict;
  decision.more_rows = found.more_rows;
  decision.evidence = found.evidence;
  decision.p = found.p;
  decision.confidence = options.confidence;
}

constexpr std::array kRules{
    Rule{"strict_improvement",
         [](Decision& decision, Numbers, Numbers, const AcceptanceOptions& options) {
           decide(decision, comparable_rise(decision) > options.margin);
         }},
    Rule{"improvement_or_equal",
         [](Decision& decision, Numbers, Numbers, const AcceptanceOptions& options) {
           decide(decision, comparable_rise(decision) >= options.margin);
         }},
    Rule{"paired", &judge_paired},
    Rule{"sequential", &judge_sequential},
};

void require_between(double value, double low, double high, const char* name, const char* range) {
  if (value > low && value < high) return;
  throw std::invalid_argument(std::string(name) + " must lie " + range);
}

void require_sound(const AcceptanceOptions& options) {
  if (!std::isfinite(options.margin) || options.margin < 0.0) {
    throw std::invalid_argument("margin must be finite and at least 0");
  }
  require_between(options.confidence, 0.0, 1.0, "confidence", "between 0 and 1, both excluded");
  require_between(options.power, 0.0, 1.0, "power", "between 0 and 1, both excluded");
  require_between(options.win_rate, 0.5, 1.0, "win_rate", "between 0.5 and 1, both excluded");
  if (options.limit == 0) throw std::invalid_argument("limit must be at least 1");
}

struct NamedChoice {
  std::string_view name;
  bool sorted;
  std::optional<std::size_t> size;
};

constexpr std::array kChoices{NamedChoice{"all", false, std::nullopt}, NamedChoice{"best", true, 1},
                              NamedChoice{"top_k", true, std::nullopt}};

}  // namespace

std::string_view name(Verdict verdict) noexcept {
  constexpr std::array<std::string_view, 3> names{"accepted", "rejected", "undecided"};
  return names.at(static_cast<std::size_t>(verdict));
}

Decision accept(std::string_view rule, std::span<const double> before,
                std::span<const double> after, const AcceptanceOptions& options) {
  const Rule& found = find_rule(kRules, rule, "acceptance");
  require_sound(options);
  require_comparable(before, after);
  const double before_sum = exact_sum(before);
  const double after_sum = exact_sum(after);
  Decision decision{false,          before_sum,    after_sum,        after_sum - before_sum,
                    options.margin, before.size(), std::string(rule)};
  if (!std::isfinite(decision.delta)) {
    throw ScoreError("the scores add up beyond the range of a double", std::nullopt, std::nullopt);
  }
  found.judge(decision, before, after, options);
  decision.accepted = decision.verdict == Verdict::accepted;
  return decision;
}

Decision accept_merge(std::span<const double> first, std::span<const double> second,
                      std::span<const double> child) {
  Decision decision = accept("improvement_or_equal", first, child);
  Decision other = accept("improvement_or_equal", second, child);
  return other.before_sum > decision.before_sum ? other : decision;
}

std::vector<std::size_t> choose(std::string_view rule, std::span<const Decision* const> decisions,
                                std::size_t k) {
  const NamedChoice& choice = find_rule(kChoices, rule, "choice");
  if (k == 0) throw std::invalid_argument("k must be at least 1");
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i]->accepted) chosen.push_back(i);
  }
  if (!choice.sorted) return chosen;
  std::stable_sort(chosen.begin(), chosen.end(), [&](std::size_t a, std::size_t b) {
    return decisions[a]->delta > decisions[b]->delta;
  });
  chosen.resize(std::min(chosen.size(), choice.size.value_or(k)));
  return chosen;
}

}  // namespace gepa
