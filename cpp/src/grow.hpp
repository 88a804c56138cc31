#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace gepa {

/// Room for `extra` more elements, growing by a quarter: what is appended next can then not throw,
/// and a bare `reserve` before each append would copy the whole vector each time.
template <typename T>
void make_room(std::vector<T>& vector, std::size_t extra) {
  const std::size_t needed = vector.size() + extra;
  if (needed > vector.capacity()) {
    vector.reserve(std::max(needed, vector.capacity() + vector.capacity() / 4));
  }
}

}  // namespace gepa
