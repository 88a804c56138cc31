#pragma once

#include <cstdint>
#include <span>
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

/// As minibatch(), with the rows in their own order in every epoch.
[[nodiscard]] std::vector<std::uint32_t> ordered_minibatch(std::uint64_t index, std::uint32_t rows,
                                                           std::uint32_t size);

/// As minibatch(), with the rows of each stratum spread evenly over the epoch's order, so that a
/// batch has of each stratum about its share of all rows: each stratum is shuffled, its row j of n
/// stands at (2j + 1) / 2n of the way, and rows at the same place come in a shuffled order of
/// strata. `strata` has the stratum of each row, any integer.
[[nodiscard]] std::vector<std::uint32_t> stratified_minibatch(std::uint64_t seed,
                                                              std::uint64_t index,
                                                              std::span<const std::int64_t> strata,
                                                              std::uint32_t size);

/// Minibatch number `index` with rows drawn without replacement, each in proportion to
/// floor + (1 - floor) · miss: a row that is missed altogether comes first 1 / floor times as often
/// as one that is not missed at all, and none is left out for good. A pure function of its
/// arguments. `misses` has for each row how much it is missed, from 0 to 1. Throws
/// std::invalid_argument for no rows, a size of 0, a miss outside of 0 … 1, and a floor that is not
/// above 0 and at most 1.
[[nodiscard]] std::vector<std::uint32_t> failure_weighted_minibatch(std::uint64_t seed,
                                                                    std::uint64_t index,
                                                                    std::span<const double> misses,
                                                                    std::uint32_t size,
                                                                    double floor);

}  // namespace gepa
