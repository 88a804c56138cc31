#pragma once

#include <cstddef>
#include <span>

#include "gepa/acceptance.hpp"

namespace gepa {

/// The chance that the differences add up to as much or more when each one's sign is a fair coin,
/// as it is for a child that is no better: the paired sign-flip permutation test, one-sided.
///
/// Exact, ties included, for up to 16 differences that are not zero, and for any number of them
/// that are of one size, as 0/1 scores give; the normal form above. With m such differences no p is
/// below 2^-m.
[[nodiscard]] double sign_flip_p(std::span<const double> differences);

/// Where a race between child and parent stands.
struct Race {
  Verdict verdict;
  /// The likelihood ratio where it was decided, or after the last row.
  double evidence;
  /// The smallest 1 - confidence at which the largest one so far would have done: valid at whatever
  /// row one stops.
  double p;
  /// The fewest further rows that can decide, were each of them to differ.
  std::size_t more_rows;
};

/// A sequential test of paired differences, row by row, whatever batches they came in.
///
/// With t = atanh(2 · win_rate - 1) each difference that is not zero multiplies the evidence by
/// exp(± t·w) / cosh(t·w), w being its size over the root mean square of those so far, 1 at most.
/// Accepted at A, rejected at B = 1 - power, rejected also after `limit` rows; with r the smallest
/// factor that there is, A = rB + (1 - rB) / (1 - confidence). If a child is no better, in that
/// differences are as likely to fall short as to exceed by the same size, then the evidence is a
/// martingale, and stopping makes 1 >= P(accepted) · A + P(not) · rB: hence
///   P(accepted) <= 1 - confidence, for whatever scores and at whatever row it stops.
/// If it wins `win_rate` of the rows that differ by one size, then 1 / evidence is a martingale:
///   P(rejected before the limit) <= 1 - power.
[[nodiscard]] Race race(std::span<const double> differences, const AcceptanceOptions& options);

}  // namespace gepa
