#include "gepa/merge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

namespace gepa {
namespace {

using Numbers = std::vector<std::uint32_t>;

/// Distinct numbers below n in a drawn order, in O(size²), whatever n (Floyd's sample, shuffled).
std::vector<std::uint64_t> distinct_below(std::uint64_t n, std::uint32_t size, Rng& rng) {
  std::vector<std::uint64_t> chosen;
  for (std::uint64_t top = n - std::min<std::uint64_t>(size, n); top < n; ++top) {
    const std::uint64_t drawn = rng.below(top + 1);
    const bool taken = std::find(chosen.begin(), chosen.end(), drawn) != chosen.end();
    chosen.push_back(taken ? top : drawn);
  }
  const Numbers order = rng.shuffle(static_cast<std::uint32_t>(chosen.size()));
  std::vector<std::uint64_t> shuffled;
  for (const std::uint32_t at : order) shuffled.push_back(chosen[at]);
  return shuffled;
}

/// The pair of that number when all pairs low < high are counted by high, then low.
std::pair<std::size_t, std::size_t> pair_of(std::uint64_t number) {
  std::uint64_t high = 1;
  while (number >= high) number -= high++;
  return {static_cast<std::size_t>(number), static_cast<std::size_t>(high)};
}

/// Whether in some component exactly one of the two still has the ancestor's text.
bool desirable(std::span<const std::int64_t> ancestor, std::span<const std::int64_t> first,
               std::span<const std::int64_t> second) {
  for (std::size_t i = 0; i < ancestor.size(); ++i) {
    if (first[i] != second[i] && (ancestor[i] == first[i] || ancestor[i] == second[i])) return true;
  }
  return false;
}

std::uint32_t draw_ancestor(const Frontier& frontier, const Numbers& ancestors, Rng& rng) {
  std::vector<double> weights;
  for (const std::uint32_t ancestor : ancestors) weights.push_back(frontier.mean(ancestor));
  const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  if (*low == *high) return ancestors[rng.below(ancestors.size())];
  const double base = std::min(*low, 0.0);
  const double span = *high - base;
  // Halved where the span itself is beyond the range of a double.
  const double half = std::isfinite(span) ? 1.0 : 0.5;
  const double most = *high * half - base * half;
  for (double& weight : weights) weight = (weight * half - base * half) / most;
  return ancestors[rng.choice(weights)];
}

/// The owner of a component's text in the child.
std::uint32_t source(const Frontier& frontier, std::pair<std::uint32_t, std::uint32_t> pair,
                     std::int64_t ancestor, std::int64_t first, std::int64_t second, Rng& rng) {
  if (first == second) return pair.first;
  if (ancestor == first) return pair.second;
  if (ancestor == second) return pair.first;
  const double ours = frontier.mean(pair.first);
  const double theirs = frontier.mean(pair.second);
  if (ours != theirs) return ours > theirs ? pair.first : pair.second;
  return rng.below(2) == 0 ? pair.first : pair.second;
}

/// Calls visit(instance, first score, second score) for each instance that both have a score on.
template <typename Visit>
void visit_both(const Frontier& frontier, std::size_t first, std::size_t second, Visit visit) {
  const ScoreTable::Row ours = frontier.scores(first);
  const ScoreTable::Row theirs = frontier.scores(second);
  const Numbers columns = theirs->columns();
  std::size_t at = 0;
  ours->visit([&](std::uint32_t column, double score) {
    while (at < columns.size() && columns[at] < column) ++at;
    if (at < columns.size() && columns[at] == column) visit(column, score, theirs->scores()[at]);
  });
}

/// Moves drawn elements of a bucket to the end of the chosen ones.
void take(Numbers& bucket, std::size_t size, Numbers& chosen, Rng& rng) {
  for (; size > 0 && !bucket.empty(); --size) {
    std::swap(bucket[rng.below(bucket.size())], bucket.back());
    chosen.push_back(bucket.back());
    bucket.pop_back();
  }
}

}  // namespace

std::optional<Merge> Merger::propose(const Frontier& frontier, const Lineage& lineage, Rng& rng,
                                     const MergeOptions& options) {
  if (frontier.size() != lineage.size()) {
    throw std::invalid_argument("the frontier has " + std::to_string(frontier.size()) +
                                " candidates and the lineage " + std::to_string(lineage.size()));
  }
  const auto survivors = frontier.reduction().shares();
  const std::uint64_t count = survivors.size();
  const std::uint64_t pairs = count < 2 ? 0 : count * (count - 1) / 2;
  for (const std::uint64_t number : distinct_below(pairs, options.tries, rng)) {
    const auto [low, high] = pair_of(number);
    const Pair pair{survivors[low].candidate, survivors[high].candidate};
    if (overlap(frontier, pair.first, pair.second) < options.overlap) continue;
    if (std::optional<Merge> merge = try_pair(frontier, lineage, pair, rng)) return merge;
  }
  return std::nullopt;
}

std::optional<Merge> Merger::try_pair(const Frontier& frontier, const Lineage& lineage, Pair pair,
                                      Rng& rng) {
  const Numbers ancestors = fitting(frontier, lineage, pair);
  if (ancestors.empty()) return std::nullopt;
  const auto [first, second] = pair;
  const std::uint32_t ancestor = draw_ancestor(frontier, ancestors, rng);
  Merge merge{first, second, ancestor, {}, {}};
  for (std::size_t i = 0; i < lineage.components(); ++i) {
    merge.sources.push_back(source(frontier, pair, lineage.texts(ancestor)[i],
                                   lineage.texts(first)[i], lineage.texts(second)[i], rng));
    merge.texts.push_back(lineage.texts(merge.sources.back())[i]);
  }
  if (!produced_.emplace(pair, merge.sources).second) return std::nullopt;
  ancestors_used_.emplace(first, second, ancestor);
  return merge;
}

std::vector<std::uint32_t> Merger::fitting(const Frontier& frontier, const Lineage& lineage,
                                           Pair pair) const {
  const auto [first, second] = pair;
  const auto common = lineage.common_ancestors(first, second);
  Numbers fitting;
  if (!common) return fitting;
  const double most = std::min(frontier.mean(first), frontier.mean(second));
  for (const std::uint32_t ancestor : *common) {
    if (frontier.mean(ancestor) > most) continue;
    if (!desirable(lineage.texts(ancestor), lineage.texts(first), lineage.texts(second))) continue;
    if (ancestors_used_.contains({first, second, ancestor})) continue;
    fitting.push_back(ancestor);
  }
  return fitting;
}

std::size_t overlap(const Frontier& frontier, std::size_t first, std::size_t second) {
  if (frontier.coverage(first) == frontier.instances()) return frontier.coverage(second);
  if (frontier.coverage(second) == frontier.instances()) return frontier.coverage(first);
  std::size_t count = 0;
  visit_both(frontier, first, second, [&](std::uint32_t, double, double) { ++count; });
  return count;
}

std::vector<std::uint32_t> check_rows(const Frontier& frontier, std::size_t first,
                                      std::size_t second, std::uint32_t size, Rng& rng) {
  if (size == 0) throw std::invalid_argument("a check needs a size of at least 1");
  std::array<Numbers, 3> buckets;
  visit_both(frontier, first, second, [&](std::uint32_t instance, double ours, double theirs) {
    buckets[ours > theirs ? 0 : (theirs > ours ? 1 : 2)].push_back(instance);
  });
  Numbers chosen;
  const std::size_t each = (std::size_t{size} + 2) / 3;
  for (Numbers& bucket : buckets) take(bucket, std::min(each, size - chosen.size()), chosen, rng);
  Numbers rest;
  for (const Numbers& bucket : buckets) rest.insert(rest.end(), bucket.begin(), bucket.end());
  take(rest, size - chosen.size(), chosen, rng);
  return chosen;
}

}  // namespace gepa
