#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "quoted.hpp"

namespace gepa {

/// The rule of that name in a table of rules; throws std::invalid_argument with the names that
/// there are.
template <typename Rules>
const auto& find_rule(const Rules& rules, std::string_view name, const char* what) {
  std::string known;
  for (const auto& rule : rules) {
    if (rule.name == name) return rule;
    known += (known.empty() ? "" : ", ") + quoted(rule.name);
  }
  throw std::invalid_argument(std::string("unknown ") + what + " rule " + quoted(name) +
                              "; known: " + known);
}

}  // namespace gepa
