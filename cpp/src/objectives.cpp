#include "gepa/objectives.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "gepa/errors.hpp"
#include "gepa/exact_sum.hpp"
#include "grow.hpp"
#include "rules.hpp"

namespace gepa {
namespace {

struct NamedDirection {
  std::string_view name;
  Direction direction;
};

constexpr std::array kDirections{NamedDirection{"maximize", Direction::maximize},
                                 NamedDirection{"minimize", Direction::minimize}};

std::uint32_t columns(std::size_t objectives, std::uint32_t instances) {
  if (objectives * instances > std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument("instances times objectives must fit in 32 bits");
  }
  return static_cast<std::uint32_t>(objectives * instances);
}

void require_finite(double value, std::size_t candidate, std::uint32_t instance,
                    std::size_t objective) {
  if (std::isfinite(value)) return;
  throw ScoreError("the score of objective " + std::to_string(objective) + " must be finite, not " +
                       std::to_string(value),
                   candidate, instance);
}

void require_size(const ObjectiveScores& scores, std::size_t rows, std::size_t objectives,
                  std::size_t candidate) {
  if (scores.values.size() == rows * objectives) return;
  throw ScoreError("got " + std::to_string(scores.values.size()) + " objective scores for " +
                       std::to_string(rows) + " rows of " + std::to_string(objectives),
                   candidate, std::nullopt);
}

}  // namespace

Direction direction(std::string_view name) {
  return find_named(kDirections, name, "direction").direction;
}

std::string_view name(Direction direction) noexcept {
  return kDirections.at(static_cast<std::size_t>(direction)).name;
}

Objectives::Objectives(std::vector<Direction> directions, std::uint32_t instances)
    : directions_(std::move(directions)), table_(columns(directions_.size(), instances)) {}

ScoreTable::Row Objectives::make_row(std::size_t candidate, const ObjectiveScores& scores,
                                     const Placement& placement) const {
  require_size(scores, placement.size, count(), candidate);
  std::vector<double> values;
  std::vector<std::uint32_t> at;
  values.reserve(scores.values.size());
  at.reserve(scores.values.size());
  for (std::size_t i = 0; i < placement.size; ++i) {
    for (std::uint32_t objective = 0; objective < count(); ++objective) {
      const std::size_t given = placement.position(i) * count() + objective;
      if (!scores.has(given)) continue;
      require_finite(scores.values[given], candidate, placement.column(i), objective);
      values.push_back(as_given(scores.values[given], objective));
      at.push_back(placement.column(i) * count() + objective);
    }
  }
  values.shrink_to_fit();
  if (at.size() == table_.columns()) at = {};
  return std::make_shared<const ScoreRow>(std::move(values), at);
}

ObjectiveStandings Objectives::standings(std::size_t candidate, const ScoreRow& row) const {
  std::vector<ExactSum> sums(count());
  ObjectiveStandings standings{{}, std::vector<std::uint32_t>(count())};
  row.visit([&](std::uint32_t column, double value) {
    sums[column % count()].add(value);
    ++standings.coverages[column % count()];
  });
  for (std::uint32_t objective = 0; objective < count(); ++objective) {
    const double sum = sums[objective].rounded();
    if (!std::isfinite(sum)) {
      throw ScoreError("the scores of objective " + std::to_string(objective) +
                           " add up beyond the range of a double",
                       candidate, std::nullopt);
    }
    const std::uint32_t covered = standings.coverages[objective];
    standings.means.push_back(covered == 0 ? std::numeric_limits<double>::quiet_NaN()
                                           : sum / covered);
  }
  return standings;
}

void Objectives::reserve_one() {
  table_.reserve_one();
  make_room(means_, count());
  make_room(coverages_, count());
}

void Objectives::append(ScoreTable::Row row, const ObjectiveStandings& standings) noexcept {
  table_.append(std::move(row));
  means_.insert(means_.end(), standings.means.begin(), standings.means.end());
  coverages_.insert(coverages_.end(), standings.coverages.begin(), standings.coverages.end());
}

void Objectives::replace(std::size_t candidate, ScoreTable::Row row,
                         const ObjectiveStandings& standings) noexcept {
  table_.replace(candidate, std::move(row));
  const auto at = static_cast<std::ptrdiff_t>(candidate * count());
  std::copy(standings.means.begin(), standings.means.end(), means_.begin() + at);
  std::copy(standings.coverages.begin(), standings.coverages.end(), coverages_.begin() + at);
}

std::optional<std::uint32_t> Objectives::best(std::uint32_t objective) const noexcept {
  std::optional<std::uint32_t> best;
  for (std::size_t candidate = 0; candidate < table_.size(); ++candidate) {
    if (coverage(candidate, objective) == 0) continue;
    if (!best || outranks(candidate, *best, objective))
      best = static_cast<std::uint32_t>(candidate);
  }
  return best;
}

bool Objectives::outranks(std::size_t a, std::size_t b, std::uint32_t objective) const noexcept {
  const double ours = means(a)[objective];
  const double theirs = means(b)[objective];
  if (ours != theirs) return ours > theirs;
  return coverage(a, objective) > coverage(b, objective);
}

}  // namespace gepa
