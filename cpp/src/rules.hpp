#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "quoted.hpp"

namespace gepa {

/// The entry of that name in a table; throws std::invalid_argument with the names that there are.
template <typename Table>
const auto& find_named(const Table& table, std::string_view name, const char* what) {
  std::string known;
  for (const auto& entry : table) {
    if (entry.name == name) return entry;
    known += (known.empty() ? "" : ", ") + quoted(entry.name);
  }
  throw std::invalid_argument(std::string("unknown ") + what + " " + quoted(name) +
                              "; known: " + known);
}

/// The rule of that name in a table of rules.
template <typename Rules>
const auto& find_rule(const Rules& rules, std::string_view name, const char* what) {
  return find_named(rules, name, (std::string(what) + " rule").c_str());
}

}  // namespace gepa
