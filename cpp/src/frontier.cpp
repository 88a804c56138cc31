#include "gepa/frontier.hpp"

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "gepa/errors.hpp"
#include "gepa/exact_sum.hpp"
#include "quoted.hpp"

namespace gepa {
namespace {

std::uint32_t at_least_one(std::uint32_t instances) {
  if (instances == 0) throw std::invalid_argument("a frontier needs at least one instance");
  return instances;
}

bool arrives_later(std::string_view name) {
  return name == "objective" || name == "hybrid" || name == "cartesian";
}

void require_below(std::size_t index, std::size_t size, const char* what) {
  if (index < size) return;
  throw std::out_of_range(std::string("there is no ") + what + " " + std::to_string(index) +
                          "; the frontier has " + std::to_string(size));
}

}  // namespace

FrontierKind frontier_kind(std::string_view name) {
  if (name == "instance") return FrontierKind::instance;
  if (arrives_later(name)) {
    throw std::invalid_argument("frontier kind " + quoted(name) + " arrives later; use 'instance'");
  }
  throw std::invalid_argument("unknown frontier kind " + quoted(name) + "; known: 'instance'");
}

std::string_view name(FrontierKind kind) noexcept {
  switch (kind) {
    case FrontierKind::instance:
      break;
  }
  return "instance";
}

Frontier::Frontier(std::uint32_t instances, FrontierKind kind)
    : kind_(kind), scores_(at_least_one(instances)), cells_(instances) {}

AddReport Frontier::add(std::span<const double> scores,
                        std::optional<std::span<const std::int64_t>> instances) {
  ScoreRow row = scores_.make_row(scores, instances);
  const double total = exact_sum(row.scores);
  if (!std::isfinite(total)) {
    throw ScoreError("the scores add up beyond the range of a double", size(), std::nullopt);
  }
  Claims claims = cells_.claims(row);
  scores_.reserve_one();
  standings_.reserve_one();
  cells_.reserve(claims);

  const auto candidate = static_cast<std::uint32_t>(size());
  standings_.append(total, static_cast<std::uint32_t>(row.scores.size()));
  cells_.settle(row, standings_);
  scores_.append(std::move(row));
  reduction_.reset();
  return {candidate, std::move(claims.improved), std::move(claims.tied)};
}

std::uint32_t Frontier::best() const {
  if (size() == 0) throw std::invalid_argument("the frontier has no candidate yet");
  return standings_.best();
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
  require_below(instance, instances(), "instance");
  return scores_.score(candidate, static_cast<std::uint32_t>(instance));
}

std::optional<double> Frontier::cell_best(std::size_t cell) const {
  require_cell(cell);
  return cells_.best(static_cast<std::uint32_t>(cell));
}

std::span<const std::uint32_t> Frontier::members(std::size_t cell) const {
  require_cell(cell);
  return cells_.members(static_cast<std::uint32_t>(cell));
}

const Reduction& Frontier::reduction() const {
  if (!reduction_) reduction_.emplace(cells_, standings_);
  return *reduction_;
}

void Frontier::require_candidate(std::size_t candidate) const {
  require_below(candidate, size(), "candidate");
}

void Frontier::require_cell(std::size_t cell) const {
  require_below(cell, cells_.count(), "instance");
}

}  // namespace gepa
