#include "gepa/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gepa/exact_sum.hpp"

namespace gepa {
namespace {

using Doubles = std::vector<double>;

constexpr std::size_t kEnumerated = 16;
constexpr double kLargestWeight = 1.0;

Doubles nonzero(std::span<const double> differences) {
  Doubles kept;
  for (const double difference : differences) {
    if (difference != 0.0) kept.push_back(difference);
  }
  return kept;
}

bool of_one_size(const Doubles& differences) {
  return std::all_of(differences.begin(), differences.end(), [&](double difference) {
    return std::abs(difference) == std::abs(differences.front());
  });
}

/// P(at least `heads` of n fair coins), summed from the small terms up. Exact while n is at most
/// 50: every term is an integer.
double binomial_tail(std::size_t n, std::size_t heads) {
  double term = 1.0;
  double sum = 1.0;
  int exponent = 0;
  for (std::size_t tails = 1; tails <= n - heads; ++tails) {
    term = term * static_cast<double>(n - tails + 1) / static_cast<double>(tails);
    sum += term;
    if (sum > 0x1.0p+500) {
      term = std::ldexp(term, -500);
      sum = std::ldexp(sum, -500);
      exponent += 500;
    }
  }
  return std::min(1.0, std::ldexp(sum, exponent - static_cast<int>(n)));
}

double exact_subset_sum(const Doubles& differences, std::size_t subset) {
  ExactSum sum;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    if ((subset >> i & 1U) != 0) sum.add(differences[i]);
  }
  return sum.rounded();
}

/// Flipping the signs of a subset lowers the sum by twice the subset's: what is counted is subsets
/// that add up to zero or less. Sums too near to zero for rounded arithmetic are done exactly.
double enumerated_p(const Doubles& differences) {
  const std::size_t subsets = std::size_t{1} << differences.size();
  Doubles sums(subsets);
  double size = 0.0;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const std::size_t bit = std::size_t{1} << i;
    for (std::size_t rest = 0; rest < bit; ++rest) sums[bit | rest] = sums[rest] + differences[i];
    size += std::abs(differences[i]);
  }
  const double room =
      size * static_cast<double>(differences.size()) * std::numeric_limits<double>::epsilon();
  std::size_t count = 0;
  for (std::size_t subset = 0; subset < subsets; ++subset) {
    const bool clear = std::abs(sums[subset]) > room;
    const double sum = clear ? sums[subset] : exact_subset_sum(differences, subset);
    if (sum <= 0.0) ++count;
  }
  return static_cast<double>(count) / static_cast<double>(subsets);
}

/// With signs flipped at random the sum has mean zero and the sum of squares for variance.
double normal_p(const Doubles& differences) {
  double largest = 0.0;
  for (const double difference : differences) largest = std::max(largest, std::abs(difference));
  double sum = 0.0;
  double squares = 0.0;
  for (const double difference : differences) {
    const double scaled = difference / largest;
    sum += scaled;
    squares += scaled * scaled;
  }
  return 0.5 * std::erfc(sum / std::sqrt(2.0 * squares));
}

/// The bounds that decide, as logarithms, and the least evidence that a rejection can leave.
struct Bounds {
  double tilt;
  double accept;
  double reject;
  double least;

  /// The confidence at which this much evidence would just do, as what is left to 1.
  [[nodiscard]] double p(double evidence) const noexcept {
    return (1.0 - least) / (std::exp(evidence) - least);
  }
};

double log_factor(double tilt) {
  return tilt - std::log(std::cosh(tilt));
}

Bounds bounds(const AcceptanceOptions& options) {
  const double tilt = std::atanh(2.0 * options.win_rate - 1.0);
  const double reject = 1.0 - options.power;
  const double least = std::exp(log_factor(-tilt * kLargestWeight)) * reject;
  const double accept = least + (1.0 - least) / (1.0 - options.confidence);
  return {tilt, std::log(accept), std::log(reject), least};
}

std::size_t rows_to(double distance, double step) {
  return static_cast<std::size_t>(std::max(1.0, std::ceil(distance / step)));
}

}  // namespace

double sign_flip_p(std::span<const double> differences) {
  const Doubles signed_ones = nonzero(differences);
  if (signed_ones.empty()) return 1.0;
  if (of_one_size(signed_ones)) {
    const auto wins = std::count_if(signed_ones.begin(), signed_ones.end(),
                                    [](double difference) { return difference > 0.0; });
    return binomial_tail(signed_ones.size(), static_cast<std::size_t>(wins));
  }
  return signed_ones.size() <= kEnumerated ? enumerated_p(signed_ones) : normal_p(signed_ones);
}

Race race(std::span<const double> differences, const AcceptanceOptions& options) {
  const Bounds decide = bounds(options);
  double evidence = 0.0;
  double largest = 0.0;
  double scale = 0.0;
  double squares = 0.0;
  double differing = 0.0;
  const auto standing = [&](Verdict verdict, std::size_t more_rows) {
    return Race{verdict, std::exp(evidence), decide.p(largest), more_rows};
  };
  std::size_t row = 0;
  for (; row < std::min(differences.size(), options.limit); ++row) {
    const double size = std::abs(differences[row]);
    if (size == 0.0) continue;
    if (size > scale) {
      squares *= (scale / size) * (scale / size);
      scale = size;
    }
    squares += (size / scale) * (size / scale);
    differing += 1.0;
    const double weight = std::min(kLargestWeight, size / scale / std::sqrt(squares / differing));
    evidence += log_factor(std::copysign(decide.tilt * weight, differences[row]));
    largest = std::max(largest, evidence);
    if (evidence >= decide.accept) return standing(Verdict::accepted, 0);
    if (evidence <= decide.reject) return standing(Verdict::rejected, 0);
  }
  if (row >= options.limit) return standing(Verdict::rejected, 0);
  const std::size_t up = rows_to(decide.accept - evidence, log_factor(decide.tilt));
  const std::size_t down = rows_to(evidence - decide.reject, -log_factor(-decide.tilt));
  return standing(Verdict::undecided, std::min({up, down, options.limit - row}));
}

}  // namespace gepa
