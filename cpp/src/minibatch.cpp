#include "gepa/minibatch.hpp"

#include <stdexcept>

#include "gepa/rng.hpp"

namespace gepa {

std::vector<std::uint32_t> minibatch(std::uint64_t seed, std::uint64_t index, std::uint32_t rows,
                                     std::uint32_t size) {
  if (rows == 0) throw std::invalid_argument("a minibatch needs at least one row to draw from");
  if (size == 0) throw std::invalid_argument("a minibatch needs a size of at least 1");
  const std::uint64_t batches = (std::uint64_t{rows} + size - 1) / size;
  std::vector<std::uint32_t> order = Rng(seed, Stream::minibatch, index / batches).shuffle(rows);
  if (size >= rows) return order;

  std::vector<std::uint32_t> batch;
  batch.reserve(size);
  const std::uint64_t start = index % batches * size;
  for (std::uint64_t place = start; place < start + size; ++place)
    batch.push_back(order[place % rows]);
  return batch;
}

}  // namespace gepa
