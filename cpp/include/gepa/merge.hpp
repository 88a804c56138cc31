#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "gepa/frontier.hpp"
#include "gepa/lineage.hpp"
#include "gepa/rng.hpp"

namespace gepa {

/// A child proposed out of two candidates and an ancestor that they share.
struct Merge {
  std::uint32_t first;
  std::uint32_t second;
  std::uint32_t ancestor;
  /// For each component the text, and the candidate that it comes from.
  std::vector<std::int64_t> texts;
  std::vector<std::uint32_t> sources;
};

struct MergeOptions {
  /// How many pairs to look at, none of them twice.
  std::uint32_t tries = 10;
  /// How many instances both must have a score on.
  std::uint32_t overlap = 5;
};

/// Proposes merges, none of them twice.
class Merger {
 public:
  /// Two survivors of the reduction, first < second, of which neither is an ancestor of the other,
  /// and an ancestor of both that is no better than either and in some component of which exactly
  /// one of them still has the text. Pairs come in an order drawn from the rng. Of several
  /// ancestors one is drawn in proportion to its mean; where a mean is negative or all are 0, to
  /// its distance from the lowest, and evenly where there is none. Per component: where both have
  /// one text, that one; where one of them has the ancestor's, the other's; where all three
  /// differ, the text of the owner with the higher mean, drawn on ties. Throws
  /// std::invalid_argument when the lineage and the frontier differ in size.
  [[nodiscard]] std::optional<Merge> propose(const Frontier& frontier, const Lineage& lineage,
                                             Rng& rng, const MergeOptions& options = {});

 private:
  using Pair = std::pair<std::uint32_t, std::uint32_t>;

  [[nodiscard]] std::optional<Merge> try_pair(const Frontier& frontier, const Lineage& lineage,
                                              Pair pair, Rng& rng);
  [[nodiscard]] std::vector<std::uint32_t> fitting(const Frontier& frontier, const Lineage& lineage,
                                                   Pair pair) const;

  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> ancestors_used_;
  std::set<std::pair<Pair, std::vector<std::uint32_t>>> produced_;
};

/// The number of instances that two candidates both have a score on. O(scores).
[[nodiscard]] std::size_t overlap(const Frontier& frontier, std::size_t first, std::size_t second);

/// Distinct instances to check a merged child on, out of those that both parents have a score on:
/// ceil(size / 3) each of those where the first is better, where the second is, and where they
/// tie, the rest from what is left; all of them where they are no more than size. O(scores).
[[nodiscard]] std::vector<std::uint32_t> check_rows(const Frontier& frontier, std::size_t first,
                                                    std::size_t second, std::uint32_t size,
                                                    Rng& rng);

}  // namespace gepa
