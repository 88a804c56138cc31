#include "gepa/selection.hpp"

#include <array>
#include <stdexcept>

#include "rules.hpp"

namespace gepa {
namespace {

struct Rule {
  std::string_view name;
  std::uint32_t (*select)(const Frontier&, Rng&, const SelectionOptions&);
};

constexpr std::array kRules{
    Rule{"pareto", [](const Frontier& frontier, Rng& rng,
                      const SelectionOptions&) { return frontier.reduction().draw(rng); }},
    Rule{"current_best",
         [](const Frontier& frontier, Rng&, const SelectionOptions&) { return frontier.best(); }},
};

void require_sound(const SelectionOptions& options) {
  if (!(options.epsilon >= 0.0 && options.epsilon <= 1.0)) {
    throw std::invalid_argument("epsilon must lie between 0 and 1");
  }
  if (options.k == 0) throw std::invalid_argument("k must be at least 1");
}

}  // namespace

std::uint32_t select(const Frontier& frontier, std::string_view rule, Rng& rng,
                     const SelectionOptions& options) {
  const Rule& found = find_rule(kRules, rule, "selection");
  require_sound(options);
  if (frontier.size() == 0) throw std::invalid_argument("the frontier has no candidate to select");
  return found.select(frontier, rng, options);
}

}  // namespace gepa
