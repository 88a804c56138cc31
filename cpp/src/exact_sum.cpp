#include "gepa/exact_sum.hpp"

#include <bit>
#include <cmath>

namespace gepa {
namespace {

constexpr int kWordBits = 32;
constexpr std::uint64_t kWordMask = 0xffff'ffffU;
constexpr int kFractionBits = 52;
constexpr std::uint64_t kHiddenBit = std::uint64_t{1} << kFractionBits;
constexpr std::uint64_t kExponentMask = 0x7ffU;
constexpr int kLowestExponent = -1074;

/// Brings every word into [0, 2^32) and returns what is carried out of the top: -1 under zero, else
/// 0.
template <typename Words>
std::int64_t carry(Words& words) noexcept {
  std::int64_t over = 0;
  for (std::int64_t& word : words) {
    const std::int64_t value = word + over;
    word = value & static_cast<std::int64_t>(kWordMask);
    over = value >> kWordBits;
  }
  return over;
}

template <typename Words>
bool any_below(const Words& words, int bit) noexcept {
  const auto whole = static_cast<std::size_t>(bit / kWordBits);
  for (std::size_t i = 0; i < whole; ++i) {
    if (words[i] != 0) return true;
  }
  const std::uint64_t rest = (std::uint64_t{1} << (bit % kWordBits)) - 1;
  return (static_cast<std::uint64_t>(words[whole]) & rest) != 0;
}

/// The 64 bits from `bit` upwards.
template <typename Words>
std::uint64_t bits_from(const Words& words, int bit) noexcept {
  const auto first = static_cast<std::size_t>(bit / kWordBits);
  const int shift = bit % kWordBits;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 3 && first + i < words.size(); ++i) {
    const auto word = static_cast<std::uint64_t>(words[first + i]);
    const int at = static_cast<int>(i) * kWordBits - shift;
    if (at < 64) bits |= at < 0 ? word >> -at : word << at;
  }
  return bits;
}

template <typename Words>
int highest_bit(const Words& words) noexcept {
  for (std::size_t i = words.size(); i-- > 0;) {
    if (words[i] == 0) continue;
    const int unused = std::countl_zero(static_cast<std::uint64_t>(words[i]));
    return static_cast<int>(i) * kWordBits + 63 - unused;
  }
  return -1;
}

/// A carried, non-negative register as a double.
template <typename Words>
double to_double(const Words& words) noexcept {
  const int highest = highest_bit(words);
  if (highest <= kFractionBits) {
    return std::ldexp(static_cast<double>(bits_from(words, 0)), kLowestExponent);
  }
  const int lowest = highest - kFractionBits;
  std::uint64_t mantissa = bits_from(words, lowest) & (2 * kHiddenBit - 1);
  const bool half = (bits_from(words, lowest - 1) & 1U) != 0;
  const bool odd = (mantissa & 1U) != 0;
  if (half && (odd || any_below(words, lowest - 1))) ++mantissa;
  return std::ldexp(static_cast<double>(mantissa), lowest + kLowestExponent);
}

}  // namespace

void ExactSum::add(double term) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(term);
  const std::uint64_t exponent = (bits >> kFractionBits) & kExponentMask;
  std::uint64_t mantissa = bits & (kHiddenBit - 1);
  if (exponent != 0) mantissa |= kHiddenBit;
  const std::uint64_t position = exponent == 0 ? 0 : exponent - 1;
  const auto word = static_cast<std::size_t>(position / kWordBits);
  const auto shift = static_cast<int>(position % kWordBits);

  const auto low = static_cast<std::int64_t>((mantissa << shift) & kWordMask);
  const auto middle = static_cast<std::int64_t>((mantissa >> (kWordBits - shift)) & kWordMask);
  // In two steps, because a shift by 64 is undefined.
  const auto high = static_cast<std::int64_t>((mantissa >> 1) >> (2 * kWordBits - 1 - shift));
  const std::int64_t sign = std::signbit(term) ? -1 : 1;
  words_[word] += sign * low;
  words_[word + 1] += sign * middle;
  words_[word + 2] += sign * high;
}

double ExactSum::rounded() const noexcept {
  Words words = words_;
  if (carry(words) == 0) return to_double(words);
  words = words_;
  for (std::int64_t& word : words) word = -word;
  carry(words);
  return -to_double(words);
}

double exact_sum(std::span<const double> terms) noexcept {
  ExactSum sum;
  for (const double term : terms) sum.add(term);
  return sum.rounded();
}

}  // namespace gepa
