#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gepa {

enum class Verdict : std::uint8_t { accepted, rejected, undecided };

[[nodiscard]] std::string_view name(Verdict verdict) noexcept;

/// What a rule makes of a child, and the numbers that say why.
struct Decision {
  bool accepted;
  double before_sum;
  double after_sum;
  double delta;
  double margin;
  std::size_t rows;
  std::string rule;

  Verdict verdict = Verdict::rejected;
  /// How many more rows an undecided rule asks for; else 0.
  std::size_t more_rows = 0;
  /// The chance that a child which is no better does as well; empty for rules that do not ask.
  std::optional<double> p = std::nullopt;
  std::optional<double> confidence = std::nullopt;
  /// How many times likelier the rows are for a child that wins `win_rate` of the rows that differ
  /// than for one that wins half of them; `sequential` alone.
  std::optional<double> evidence = std::nullopt;

  std::string criterion = "primary";
  /// The rise of each objective's mean in its direction; empty where no row has it on both sides.
  std::vector<std::optional<double>> objective_deltas = {};
};

/// What the rules with a knob read; the others ignore it.
struct AcceptanceOptions {
  /// What the mean must rise by.
  double margin = 0.0;
  /// 1 less the chance that a child which is no better is accepted.
  double confidence = 0.8;
  /// The chance at least that `sequential` does not reject a child with the win rate.
  double power = 0.4;
  /// The share of the rows that differ on which a child worth accepting beats its parent.
  double win_rate = 0.625;
  /// The number of rows at which `sequential` stops asking.
  std::size_t limit = 96;
};

/// Judges a child by its parent's scores and its own on the same rows, in the same order.
/// `strict_improvement`    the mean must rise by more than the margin;
/// `improvement_or_equal`  the mean must rise by the margin at least;
/// `paired`                the sign-flip permutation test of the differences, less the margin, must
///                         give p of at most 1 - confidence: see sign_flip_p();
/// `sequential`            asks for more rows until the evidence decides: see race().
/// Sums are exact, rounded once, so scores that add up alike tie. Throws ScoreError for lists that
/// are empty, differ in length or hold a number that is not finite; std::invalid_argument for an
/// unknown rule and for options out of range.
[[nodiscard]] Decision accept(std::string_view rule, std::span<const double> before,
                              std::span<const double> after, const AcceptanceOptions& options = {});

/// Judges a merged child: its sum must reach the larger of its parents'.
[[nodiscard]] Decision accept_merge(std::span<const double> first, std::span<const double> second,
                                    std::span<const double> child);

/// The accepted ones that a rule lets in, by index:
/// `all`    in order;
/// `best`   the one with the largest delta, the earlier one on ties;
/// `top_k`  the k with the largest deltas, largest first, the earlier ones first on ties.
/// Throws std::invalid_argument for an unknown rule and for a k of 0.
[[nodiscard]] std::vector<std::size_t> choose(std::string_view rule,
                                              std::span<const Decision* const> decisions,
                                              std::size_t k);

}  // namespace gepa
