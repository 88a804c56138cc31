#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace gepa {

/// Whether a child is accepted, and the numbers that say why.
struct Decision {
  bool accepted;
  double before_sum;
  double after_sum;
  double delta;
  double margin;
  std::size_t rows;
  std::string rule;
};

/// Judges a child by its parent's scores and its own on the same rows, in the same order.
/// `strict_improvement`    the mean must rise by more than the margin;
/// `improvement_or_equal`  the mean must rise by the margin at least.
/// Sums are exact, rounded once, so scores that add up alike tie. Throws ScoreError for lists that
/// are empty, differ in length or hold a number that is not finite; std::invalid_argument for an
/// unknown rule and for a margin that is negative or not finite.
[[nodiscard]] Decision accept(std::string_view rule, std::span<const double> before,
                              std::span<const double> after, double margin = 0.0);

}  // namespace gepa
