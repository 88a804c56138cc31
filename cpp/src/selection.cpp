#include "gepa/selection.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>

#include "gepa/shares.hpp"
#include "rules.hpp"

namespace gepa {
namespace {

using Shares = std::vector<Share>;
using Chances = std::vector<Chance>;

struct Rule {
  std::string_view name;
  std::uint32_t (*select)(const Frontier&, Rng&, const SelectionOptions&);
  Chances (*chances)(const Frontier&, const SelectionOptions&);
  /// The pareto rules alone have weights.
  Shares (*weights)(const Frontier&, const SelectionOptions&) = nullptr;
};

std::uint64_t total(std::span<const Share> shares) {
  std::uint64_t sum = 0;
  for (const Share& share : shares) sum += share.cells;
  return sum;
}

std::uint32_t share_of(std::span<const Share> shares, std::uint32_t candidate) {
  for (const Share& share : shares) {
    if (share.candidate == candidate) return share.cells;
  }
  return 0;
}

/// Whoever stands at a place when each candidate takes up as many as it has cells, one left out.
std::uint32_t at_place(std::span<const Share> shares, std::uint64_t place, std::uint32_t left_out) {
  std::uint32_t last = left_out;
  for (const Share& share : shares) {
    if (share.candidate == left_out) continue;
    last = share.candidate;
    if (place < share.cells) break;
    place -= share.cells;
  }
  return last;
}

/// Whether the floor takes anything from the others.
bool lifts(double floor, std::uint64_t best, std::uint64_t all) {
  return best < all && static_cast<double>(best) < floor * static_cast<double>(all);
}

/// Without a floor that takes anything, one bounded draw along the shares; else one that decides
/// about the floor and one among the others.
std::uint32_t draw(const Frontier& frontier, std::span<const Share> shares, Rng& rng,
                   double floor) {
  const std::uint64_t all = total(shares);
  const std::uint32_t best = frontier.best();
  const std::uint64_t mine = share_of(shares, best);
  if (!lifts(floor, mine, all)) {
    return at_place(shares, rng.below(all), static_cast<std::uint32_t>(frontier.size()));
  }
  if (rng.uniform() < floor) return best;
  return at_place(shares, rng.below(all - mine), best);
}

Chances chances_of(const Frontier& frontier, std::span<const Share> shares, double floor) {
  const std::uint64_t all = total(shares);
  const std::uint32_t best = frontier.best();
  const std::uint64_t mine = share_of(shares, best);
  const bool lifted = lifts(floor, mine, all);
  const auto rest = static_cast<double>(lifted ? all - mine : all);
  Chances chances;
  if (lifted) chances.push_back({best, floor});
  for (const Share& share : shares) {
    if (lifted && (share.candidate == best || floor == 1.0)) continue;
    chances.push_back({share.candidate, (lifted ? 1.0 - floor : 1.0) * share.cells / rest});
  }
  std::sort(chances.begin(), chances.end(),
            [](const Chance& a, const Chance& b) { return a.candidate < b.candidate; });
  return chances;
}

std::uint32_t select_pareto(const Frontier& frontier, Rng& rng, const SelectionOptions& options) {
  const Reduction& reduction = frontier.reduction();
  if (options.best_floor == 0.0) return reduction.draw(rng);
  return draw(frontier, reduction.shares(), rng, options.best_floor);
}

Shares pareto_weights(const Frontier& frontier, const SelectionOptions& /*options*/) {
  const auto shares = frontier.reduction().shares();
  return {shares.begin(), shares.end()};
}

Chances pareto_chances(const Frontier& frontier, const SelectionOptions& options) {
  return chances_of(frontier, frontier.reduction().shares(), options.best_floor);
}

/// A cell in proportion to its members, then one of them: so whoever holds more cells comes up more
/// often, and nobody's cells need be counted.
std::uint32_t draw_member(const Frontier& frontier, Rng& rng) {
  std::uint64_t all = 0;
  for (std::uint32_t cell = 0; cell < frontier.cells(); ++cell) {
    all += frontier.all_cells().members(cell).size();
  }
  std::uint64_t place = rng.below(all);
  std::uint32_t cell = 0;
  while (place >= frontier.all_cells().members(cell).size()) {
    place -= frontier.all_cells().members(cell++).size();
  }
  return frontier.all_cells().members(cell)[place];
}

std::uint32_t select_unpruned(const Frontier& frontier, Rng& rng, const SelectionOptions& options) {
  if (options.best_floor == 0.0) return draw_member(frontier, rng);
  return draw(frontier, unpruned_shares(frontier), rng, options.best_floor);
}

Shares unpruned_weights(const Frontier& frontier, const SelectionOptions& /*options*/) {
  return unpruned_shares(frontier);
}

Chances unpruned_chances(const Frontier& frontier, const SelectionOptions& options) {
  return chances_of(frontier, unpruned_shares(frontier), options.best_floor);
}

std::uint32_t select_top(const Frontier& frontier, Rng& rng, const SelectionOptions& options) {
  const Shares shares = top_shares(frontier, options.k);
  if (shares.empty()) return frontier.best();
  return draw(frontier, shares, rng, options.best_floor);
}

Shares top_weights(const Frontier& frontier, const SelectionOptions& options) {
  return top_shares(frontier, options.k);
}

Chances top_chances(const Frontier& frontier, const SelectionOptions& options) {
  const Shares shares = top_shares(frontier, options.k);
  if (shares.empty()) return {{frontier.best(), 1.0}};
  return chances_of(frontier, shares, options.best_floor);
}

std::uint32_t select_best(const Frontier& frontier, Rng& /*rng*/,
                          const SelectionOptions& /*options*/) {
  return frontier.best();
}

Chances best_chances(const Frontier& frontier, const SelectionOptions& /*options*/) {
  return {{frontier.best(), 1.0}};
}

std::uint32_t select_greedy(const Frontier& frontier, Rng& rng, const SelectionOptions& options) {
  if (rng.uniform() >= options.epsilon) return frontier.best();
  return static_cast<std::uint32_t>(rng.below(frontier.size()));
}

Chances greedy_chances(const Frontier& frontier, const SelectionOptions& options) {
  const double each = options.epsilon / static_cast<double>(frontier.size());
  Chances chances;
  for (std::uint32_t i = 0; i < frontier.size(); ++i) {
    const double chance = i == frontier.best() ? 1.0 - options.epsilon + each : each;
    if (chance > 0.0) chances.push_back({i, chance});
  }
  return chances;
}

constexpr std::array kRules{
    Rule{"pareto", &select_pareto, &pareto_chances, &pareto_weights},
    Rule{"current_best", &select_best, &best_chances},
    Rule{"epsilon_greedy", &select_greedy, &greedy_chances},
    Rule{"top_k_pareto", &select_top, &top_chances, &top_weights},
    Rule{"pareto_unpruned", &select_unpruned, &unpruned_chances, &unpruned_weights},
    Rule{"batch_lexicase",
         [](const Frontier& frontier, Rng& rng, const SelectionOptions& options) {
           return batch_lexicase(frontier, options.batch, rng);
         },
         [](const Frontier& frontier, const SelectionOptions& options) {
           return batch_lexicase_chances(frontier, options.batch);
         }},
};

void require_fraction(double value, const char* name) {
  if (value >= 0.0 && value <= 1.0) return;
  throw std::invalid_argument(std::string(name) + " must lie between 0 and 1");
}

const Rule& sound_rule(const Frontier& frontier, std::string_view name,
                       const SelectionOptions& options) {
  const Rule& rule = find_rule(kRules, name, "selection");
  require_fraction(options.epsilon, "epsilon");
  require_fraction(options.best_floor, "best_floor");
  if (options.k == 0) throw std::invalid_argument("k must be at least 1");
  if (options.batch == 0) throw std::invalid_argument("batch must be at least 1");
  if (frontier.size() == 0) throw std::invalid_argument("the frontier has no candidate to select");
  return rule;
}

}  // namespace

std::uint32_t select(const Frontier& frontier, std::string_view rule, Rng& rng,
                     const SelectionOptions& options) {
  return sound_rule(frontier, rule, options).select(frontier, rng, options);
}

std::vector<Chance> distribution(const Frontier& frontier, std::string_view rule,
                                 const SelectionOptions& options) {
  return sound_rule(frontier, rule, options).chances(frontier, options);
}

std::vector<Share> weights(const Frontier& frontier, std::string_view rule,
                           const SelectionOptions& options) {
  const Rule& found = sound_rule(frontier, rule, options);
  if (found.weights != nullptr) return found.weights(frontier, options);
  throw std::invalid_argument("the selection rule " + quoted(rule) +
                              " does not draw by weights; ask for its distribution");
}

}  // namespace gepa
