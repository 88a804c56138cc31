#include "gepa/rng.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

namespace gepa {
namespace {

constexpr std::uint64_t kBlocks = std::uint64_t{1} << 32U;

std::uint32_t low_word(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(value);
}

std::uint32_t high_word(std::uint64_t value) noexcept {
  return static_cast<std::uint32_t>(value >> 32U);
}

struct Product {
  std::uint64_t high;
  std::uint64_t low;
};

Product multiply(std::uint64_t a, std::uint64_t b) noexcept {
  const std::uint64_t low_low = std::uint64_t{low_word(a)} * low_word(b);
  const std::uint64_t low_high = std::uint64_t{low_word(a)} * high_word(b);
  const std::uint64_t high_low = std::uint64_t{high_word(a)} * low_word(b);
  const std::uint64_t high_high = std::uint64_t{high_word(a)} * high_word(b);
  const std::uint64_t middle =
      std::uint64_t{low_word(low_high)} + low_word(high_low) + high_word(low_low);
  return {high_high + high_word(low_high) + high_word(high_low) + high_word(middle), a * b};
}

double checked_total(std::span<const double> weights) {
  double total = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i]) || weights[i] < 0.0) {
      throw std::invalid_argument("weight " + std::to_string(i) + " must be finite and at least 0");
    }
    total += weights[i];
  }
  if (!std::isfinite(total) || total <= 0.0) {
    throw std::invalid_argument("weights must have a finite sum above 0");
  }
  return total;
}

}  // namespace

Rng::Rng(std::uint64_t seed, std::uint32_t stream, std::uint64_t index) noexcept
    : key_{low_word(seed), high_word(seed)}, place_{0, stream, low_word(index), high_word(index)} {}

void Rng::refill() {
  if (blocks_ == kBlocks) throw std::length_error("this random stream is used up");
  place_[0] = static_cast<std::uint32_t>(blocks_++);
  words_ = philox4x32(place_, key_);
  used_ = 0;
}

std::uint32_t Rng::next_u32() {
  if (used_ == words_.size()) refill();
  return words_[used_++];
}

std::uint64_t Rng::next_u64() {
  const std::uint64_t low = next_u32();
  const std::uint64_t high = next_u32();
  return high << 32U | low;
}

double Rng::uniform() {
  return static_cast<double>(next_u64() >> 11U) * 0x1.0p-53;
}

std::uint32_t Rng::below32(std::uint32_t n) {
  std::uint64_t product = std::uint64_t{next_u32()} * n;
  if (low_word(product) < n) {
    const std::uint32_t bias = (0U - n) % n;
    while (low_word(product) < bias) product = std::uint64_t{next_u32()} * n;
  }
  return high_word(product);
}

std::uint64_t Rng::below64(std::uint64_t n) {
  Product product = multiply(next_u64(), n);
  if (product.low < n) {
    const std::uint64_t bias = (std::uint64_t{0} - n) % n;
    while (product.low < bias) product = multiply(next_u64(), n);
  }
  return product.high;
}

std::uint64_t Rng::below(std::uint64_t n) {
  if (n == 0) throw std::invalid_argument("below(n) needs n of at least 1");
  return high_word(n) == 0 ? below32(low_word(n)) : below64(n);
}

std::vector<std::uint32_t> Rng::shuffle(std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t left = n; left > 1; --left) std::swap(order[left - 1], order[below32(left)]);
  return order;
}

std::size_t Rng::choice(std::span<const double> weights) {
  const double target = uniform() * checked_total(weights);
  double passed = 0.0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0.0) continue;
    passed += weights[i];
    last = i;
    if (target < passed) return i;
  }
  return last;
}

}  // namespace gepa
