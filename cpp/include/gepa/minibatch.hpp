#pragma once

#include <cstdint>
#include <vector>

namespace gepa {

/// Minibatch number `index`, a pure function of the seed and the index.
///
/// An epoch is ceil(rows / size) batches and takes every row in an order of its own, the
/// permutation drawn from (seed, Stream::minibatch, epoch): batch b of the epoch is places b·size …
/// b·size + size - 1 of it. Where rows are not a multiple of size, the last batch has the rows left
/// over, then the first ones of the same permutation: of the epoch, those used longest ago. So each
/// batch has `size` distinct rows and each epoch covers every row. Where size is rows or more, each
/// batch is all rows, shuffled. Throws std::invalid_argument when rows or size is 0.
[[nodiscard]] std::vector<std::uint32_t> minibatch(std::uint64_t seed, std::uint64_t index,
                                                   std::uint32_t rows, std::uint32_t size);

}  // namespace gepa
