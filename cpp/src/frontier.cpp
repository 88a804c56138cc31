#include "gepa/frontier.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "gepa/errors.hpp"
#include "gepa/exact_sum.hpp"
#include "rules.hpp"

namespace gepa {
namespace {

struct Kind {
  std::string_view name;
  FrontierKind kind;
};

constexpr std::array kKinds{
    Kind{"instance", FrontierKind::instance}, Kind{"objective", FrontierKind::objective},
    Kind{"hybrid", FrontierKind::hybrid}, Kind{"cartesian", FrontierKind::cartesian}};

std::uint32_t at_least_one(std::uint32_t instances) {
  if (instances == 0) throw std::invalid_argument("a frontier needs at least one instance");
  return instances;
}

std::uint32_t count_cells(FrontierKind kind, std::uint32_t instances, std::size_t objectives) {
  if (kind == FrontierKind::instance) return instances;
  if (objectives == 0) {
    throw std::invalid_argument("frontier kind " + quoted(name(kind)) +
                                " needs objectives; give a direction for each");
  }
  if (kind == FrontierKind::objective) return static_cast<std::uint32_t>(objectives);
  if (kind == FrontierKind::cartesian) return static_cast<std::uint32_t>(instances * objectives);
  if (objectives > std::numeric_limits<std::uint32_t>::max() - instances) {
    throw std::invalid_argument("instances and objectives together must fit in 32 bits");
  }
  return static_cast<std::uint32_t>(instances + objectives);
}

void require_below(std::size_t index, std::size_t size, const char* what) {
  if (index < size) return;
  throw std::out_of_range(std::string("there is no ") + what + " " + std::to_string(index) +
                          "; the frontier has " + std::to_string(size));
}

double finite_total(std::size_t candidate, const ScoreRow& row) {
  const double total = exact_sum(row.scores());
  if (std::isfinite(total)) return total;
  throw ScoreError("the scores add up beyond the range of a double", candidate, std::nullopt);
}

bool contains(std::span<const std::uint32_t> ascending, std::uint32_t value) {
  return std::binary_search(ascending.begin(), ascending.end(), value);
}

}  // namespace

/// All that is known of a candidate, made before anything changes.
struct Frontier::Entry {
  ScoreTable::Row scores;
  ScoreTable::Row objectives;
  double total = 0.0;
  ObjectiveStandings standings;
};

FrontierKind frontier_kind(std::string_view name) {
  return find_named(kKinds, name, "frontier kind").kind;
}

std::string_view name(FrontierKind kind) noexcept {
  return kKinds.at(static_cast<std::size_t>(kind)).name;
}

Frontier::Frontier(std::uint32_t instances, FrontierKind kind, std::vector<Direction> directions)
    : kind_(kind),
      scores_(at_least_one(instances)),
      objectives_(std::move(directions), instances),
      cells_(count_cells(kind, instances, objectives_.count())) {}

AddReport Frontier::add(std::span<const double> scores, NamedInstances instances,
                        const ObjectiveScores* objectives) {
  Entry entry = make_entry(size(), scores, instances, objectives);
  complete(size(), entry);
  const CellRow row = cell_row(*entry.scores, *entry.objectives, entry.standings.means);
  Claims claims = cells_.claims(row);
  scores_.reserve_one();
  objectives_.reserve_one();
  standings_.reserve_one();
  cells_.reserve(claims);
  reduction_.lose(claims.improved);

  const auto candidate = static_cast<std::uint32_t>(size());
  standings_.append(entry.total, static_cast<std::uint32_t>(entry.scores->size()));
  cells_.settle(candidate, row, standings_);
  scores_.append(std::move(entry.scores));
  objectives_.append(std::move(entry.objectives), entry.standings);
  stale_ = true;
  return {candidate, std::move(claims.improved), std::move(claims.tied), {}};
}

AddReport Frontier::extend(std::size_t candidate, std::span<const double> scores,
                           NamedInstances instances, const ObjectiveScores* objectives) {
  require_candidate(candidate);
  const auto number = static_cast<std::uint32_t>(candidate);
  const Entry more = make_entry(candidate, scores, instances, objectives);
  Entry all = united_entry(candidate, more);
  complete(candidate, all);
  const CellRow added = cell_row(*more.scores, *more.objectives, {});
  Claims claims = cells_.claims(added);
  cells_.reserve(claims);
  if (has_means()) {
    for (std::uint32_t i = 0; i < objectives_.count(); ++i)
      cells_.reserve(first_mean() + i, size());
  }
  AddReport report{number, std::move(claims.improved), std::move(claims.tied), {}};
  const std::size_t room = cells_.count() - first_mean();
  if (has_means()) {
    report.improved.reserve(report.improved.size() + room);
    report.tied.reserve(report.tied.size() + room);
    report.lost.reserve(room);
  }

  standings_.update(number, all.total, static_cast<std::uint32_t>(all.scores->size()));
  cells_.settle(number, added, standings_);
  scores_.replace(candidate, std::move(all.scores));
  objectives_.replace(candidate, std::move(all.objectives), all.standings);
  if (has_means()) refill_means(number, report);
  cells_.restand(number, cell_row(candidate), standings_);
  reduction_.forget();
  stale_ = true;
  return report;
}

Frontier::Entry Frontier::make_entry(std::size_t candidate, std::span<const double> scores,
                                     NamedInstances instances,
                                     const ObjectiveScores* objectives) const {
  const Placement placement = scores_.place(candidate, scores.size(), instances);
  Entry entry;
  entry.scores = ScoreTable::make_row(candidate, scores, placement);
  if (objectives != nullptr) {
    entry.objectives = objectives_.make_row(candidate, *objectives, placement);
  } else {
    entry.objectives = objectives_.no_row();
  }
  if (kind_ != FrontierKind::instance && entry.objectives->size() == 0) {
    throw ScoreError("frontier kind " + quoted(name(kind_)) + " needs objective scores", candidate,
                     std::nullopt);
  }
  return entry;
}

Frontier::Entry Frontier::united_entry(std::size_t candidate, const Entry& more) const {
  Entry entry;
  entry.scores = united(candidate, scores_.row(candidate), *more.scores, instances(), 1);
  entry.objectives = united(candidate, objectives_.table().row(candidate), *more.objectives,
                            objectives_.table().columns(), std::max(1U, objectives_.count()));
  return entry;
}

/// Computes what follows from the scores.
void Frontier::complete(std::size_t candidate, Entry& entry) const {
  entry.total = finite_total(candidate, *entry.scores);
  entry.standings = objectives_.standings(candidate, *entry.objectives);
}

/// Only the means of the extended candidate changed, yet a cell whose best mean fell may be
/// anybody's.
void Frontier::refill_means(std::uint32_t candidate, AddReport& report) {
  for (std::uint32_t objective = 0; objective < objectives_.count(); ++objective) {
    const std::uint32_t cell = first_mean() + objective;
    const std::optional<double> best = cells_.best(cell);
    const bool held = contains(cells_.members(cell), candidate);
    const std::size_t sharers = cells_.members(cell).size();
    cells_.refill(cell, standings_,
                  [&](std::uint32_t i) { return objectives_.means(i)[objective]; });
    const bool holds = contains(cells_.members(cell), candidate);
    const bool alone = cells_.members(cell).size() == 1;
    if (held && !holds) report.lost.push_back(cell);
    if (!holds || (held && best == cells_.best(cell) && sharers == cells_.members(cell).size()))
      continue;
    if (alone && (!best || *cells_.best(cell) > *best)) report.improved.push_back(cell);
    if (!alone) report.tied.push_back(cell);
  }
}

CellRow Frontier::cell_row(const ScoreRow& scores, const ScoreRow& objectives,
                           std::span<const double> means) const noexcept {
  switch (kind_) {
    case FrontierKind::objective:
      return {nullptr, 0, means};
    case FrontierKind::hybrid:
      return {&scores, instances(), means};
    case FrontierKind::cartesian:
      return {&objectives, 0, {}};
    case FrontierKind::instance:
      break;
  }
  return {&scores, 0, {}};
}

CellRow Frontier::cell_row(std::size_t candidate) const noexcept {
  return cell_row(scores_.row(candidate), objectives_.table().row(candidate),
                  objectives_.means(candidate));
}

bool Frontier::has_means() const noexcept {
  return kind_ == FrontierKind::objective || kind_ == FrontierKind::hybrid;
}

std::uint32_t Frontier::first_mean() const noexcept {
  return kind_ == FrontierKind::hybrid ? instances() : 0;
}

std::uint32_t Frontier::best() const {
  if (size() == 0) throw std::invalid_argument("the frontier has no candidate yet");
  return standings_.best();
}

std::optional<std::uint32_t> Frontier::best(std::size_t objective) const {
  require_objective(objective);
  return objectives_.best(static_cast<std::uint32_t>(objective));
}

double Frontier::mean(std::size_t candidate) const {
  require_candidate(candidate);
  return standings_.mean(candidate);
}

double Frontier::total(std::size_t candidate) const {
  require_candidate(candidate);
  return standings_.total(candidate);
}

std::uint32_t Frontier::coverage(std::size_t candidate) const {
  require_candidate(candidate);
  return standings_.coverage(candidate);
}

std::optional<double> Frontier::score(std::size_t candidate, std::size_t instance) const {
  require_candidate(candidate);
  require_instance(instance);
  return scores_.score(candidate, static_cast<std::uint32_t>(instance));
}

std::optional<double> Frontier::objective_mean(std::size_t candidate, std::size_t objective) const {
  require_candidate(candidate);
  require_objective(objective);
  const auto at = static_cast<std::uint32_t>(objective);
  if (objectives_.coverage(candidate, at) == 0) return std::nullopt;
  return objectives_.as_given(objectives_.means(candidate)[at], at);
}

std::optional<double> Frontier::objective_score(std::size_t candidate, std::size_t instance,
                                                std::size_t objective) const {
  require_candidate(candidate);
  require_instance(instance);
  require_objective(objective);
  const auto at = static_cast<std::uint32_t>(objective);
  const auto column = static_cast<std::uint32_t>(instance * objectives_.count() + objective);
  const std::optional<double> score = objectives_.table().score(candidate, column);
  return score ? std::optional(objectives_.as_given(*score, at)) : std::nullopt;
}

std::vector<double> Frontier::misses(double perfect) const {
  if (!std::isfinite(perfect)) throw std::invalid_argument("a perfect score must be finite");
  std::vector<std::uint32_t> scored(instances());
  std::vector<std::uint32_t> missed(instances());
  for (const Share& share : reduction().shares()) {
    scores_.row(share.candidate).visit([&](std::uint32_t instance, double score) {
      ++scored[instance];
      if (score < perfect) ++missed[instance];
    });
  }
  std::vector<double> shares;
  for (std::uint32_t i = 0; i < instances(); ++i) {
    shares.push_back(scored[i] == 0 ? 1.0 : static_cast<double>(missed[i]) / scored[i]);
  }
  return shares;
}

ScoreTable::Row Frontier::scores(std::size_t candidate) const {
  require_candidate(candidate);
  return scores_.shared_row(candidate);
}

CellKey Frontier::key(std::size_t cell) const {
  require_cell(cell);
  const auto at = static_cast<std::uint32_t>(cell);
  if (kind_ == FrontierKind::cartesian) {
    return {at / objectives_.count(), at % objectives_.count()};
  }
  if (has_means() && at >= first_mean()) return {std::nullopt, at - first_mean()};
  return {at, std::nullopt};
}

std::optional<double> Frontier::cell_best(std::size_t cell) const {
  const CellKey stands_for = key(cell);
  const std::optional<double> best = cells_.best(static_cast<std::uint32_t>(cell));
  if (!best || !stands_for.objective) return best;
  return objectives_.as_given(*best, *stands_for.objective);
}

std::span<const std::uint32_t> Frontier::members(std::size_t cell) const {
  require_cell(cell);
  return cells_.members(static_cast<std::uint32_t>(cell));
}

const Reduction& Frontier::reduction() const {
  if (stale_) {
    reduction_.refresh(cells_, standings_,
                       [this](std::uint32_t candidate) { return cell_row(candidate); });
    stale_ = false;
  }
  return reduction_;
}

void Frontier::require_candidate(std::size_t candidate) const {
  require_below(candidate, size(), "candidate");
}

void Frontier::require_instance(std::size_t instance) const {
  require_below(instance, instances(), "instance");
}

void Frontier::require_objective(std::size_t objective) const {
  require_below(objective, objectives_.count(), "objective");
}

void Frontier::require_cell(std::size_t cell) const {
  require_below(cell, cells_.count(), kind_ == FrontierKind::instance ? "instance" : "cell");
}

}  // namespace gepa
