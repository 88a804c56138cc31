#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gepa/frontier.hpp"
#include "gepa/lexicase.hpp"
#include "gepa/rng.hpp"

namespace gepa {

/// What the rules with a knob read; the others ignore it.
struct SelectionOptions {
  double epsilon = 0.1;
  std::uint32_t k = 5;
  double best_floor = 0.0;
  std::uint32_t batch = 10;
};

/// The parent that a rule selects:
/// `pareto`           a survivor of the reduction, in proportion to the cells that it holds;
/// `pareto_unpruned`  whoever holds a cell, in proportion to the cells that it holds;
/// `top_k_pareto`     as pareto, with the k best candidates alone by mean, then age, in the fronts;
///                    the best candidate when none of them holds a cell;
/// `current_best`     the best candidate; draws nothing;
/// `epsilon_greedy`   anybody with probability epsilon, else the best candidate;
/// `batch_lexicase`   see batch_lexicase().
/// With a best_floor the pareto rules give the best candidate at least that probability, and the
/// others what is left, in proportion as before. Throws std::invalid_argument for another rule, for
/// options out of range and for an empty frontier.
[[nodiscard]] std::uint32_t select(const Frontier& frontier, std::string_view rule, Rng& rng,
                                   const SelectionOptions& options = {});

/// The probability of each candidate that select() can give, ascending. Throws as select() does,
/// and where batch_lexicase_chances() does.
[[nodiscard]] std::vector<Chance> distribution(const Frontier& frontier, std::string_view rule,
                                               const SelectionOptions& options = {});

/// The weights that a pareto rule draws by, before any floor, ascending. Throws as select() does,
/// for the other rules too.
[[nodiscard]] std::vector<Share> weights(const Frontier& frontier, std::string_view rule,
                                         const SelectionOptions& options = {});

}  // namespace gepa
