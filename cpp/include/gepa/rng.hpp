#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gepa/philox.hpp"

namespace gepa {

/// What a draw is for. Each purpose has a stream of its own, so a draw added to one never shifts
/// another. The numbers are part of every recorded run: append, never renumber.
enum class Stream : std::uint32_t {
  selection = 1,
  minibatch = 2,
  proposal = 3,
  ties = 4,
  merge = 5,
};

/// Random numbers as a pure function of (seed, stream, index) and of how many were drawn before.
///
/// Philox counter words: {block, stream, index low, index high}; key: the seed. One (stream, index)
/// holds 2^34 words of 32 bits; drawing beyond throws std::length_error rather than repeat.
class Rng {
 public:
  Rng(std::uint64_t seed, std::uint32_t stream, std::uint64_t index) noexcept;
  Rng(std::uint64_t seed, Stream stream, std::uint64_t index) noexcept
      : Rng(seed, static_cast<std::uint32_t>(stream), index) {}

  [[nodiscard]] std::uint32_t next_u32();

  /// The next two words, the earlier one in the low half.
  [[nodiscard]] std::uint64_t next_u64();

  /// In [0, 1), a multiple of 2^-53.
  [[nodiscard]] double uniform();

  /// In [0, n), every number equally likely (Lemire, "Fast random integer generation in an
  /// interval"). One word a try while n fits in 32 bits, two above; throws std::invalid_argument
  /// for n = 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t n);

  /// A permutation of 0 … n-1 (Fisher-Yates from the last place down).
  [[nodiscard]] std::vector<std::uint32_t> shuffle(std::uint32_t n);

  /// An index drawn in proportion to its weight; never one of weight zero. Throws
  /// std::invalid_argument for a weight that is negative or not finite, or a sum that is zero or
  /// not finite.
  [[nodiscard]] std::size_t choice(std::span<const double> weights);

 private:
  [[nodiscard]] std::uint32_t below32(std::uint32_t n);
  [[nodiscard]] std::uint64_t below64(std::uint64_t n);
  void refill();

  PhiloxKey key_;
  PhiloxCounter place_;
  std::uint64_t blocks_ = 0;
  PhiloxCounter words_{};
  std::size_t used_ = words_.size();
};

}  // namespace gepa
