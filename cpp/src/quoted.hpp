#pragma once

#include <string>
#include <string_view>

namespace gepa {

inline std::string quoted(std::string_view word) {
  std::string text("'");
  text.append(word).append("'");
  return text;
}

}  // namespace gepa
