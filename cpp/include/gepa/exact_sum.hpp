#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gepa {

/// The exact sum of finite doubles, rounded once, to nearest even.
///
/// A fixed-point register as wide as the range of a double, kept in words of 32 bits with room to
/// carry (Neal, "Fast exact summation using small and large superaccumulators", 2015). No order of
/// terms, no compiler and no Python version can change the result. Good for 2^31 terms.
class ExactSum {
 public:
  void add(double term) noexcept;

  /// Infinite when the sum lies beyond the range of a double.
  [[nodiscard]] double rounded() const noexcept;

 private:
  static constexpr std::size_t kWords = 68;
  using Words = std::array<std::int64_t, kWords>;

  Words words_{};
};

[[nodiscard]] double exact_sum(std::span<const double> terms) noexcept;

}  // namespace gepa
