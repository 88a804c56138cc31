#pragma once

#include <cstdint>
#include <string_view>

#include "gepa/frontier.hpp"
#include "gepa/rng.hpp"

namespace gepa {

/// What the rules with a knob read; the others ignore it.
struct SelectionOptions {
  double epsilon = 0.1;
  std::uint32_t k = 5;
};

/// The parent that a rule selects:
/// `pareto`        a survivor of the reduction, in proportion to the cells that it holds;
/// `current_best`  the best candidate; draws nothing.
/// Throws std::invalid_argument for another rule, for options out of range and for an empty
/// frontier.
[[nodiscard]] std::uint32_t select(const Frontier& frontier, std::string_view rule, Rng& rng,
                                   const SelectionOptions& options = {});

}  // namespace gepa
