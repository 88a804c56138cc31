#include "gepa/cells.hpp"

#include <algorithm>

#include "grow.hpp"

namespace gepa {
namespace {

constexpr double kUnreached = -std::numeric_limits<double>::infinity();
constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

}  // namespace

std::optional<double> CellRow::score(std::uint32_t cell) const noexcept {
  if (cell >= first_mean && cell - first_mean < means.size()) {
    const double mean = means[cell - first_mean];
    return mean == mean ? std::optional(mean) : std::nullopt;
  }
  return row == nullptr ? std::nullopt : row->score(cell);
}

Cells::Cells(std::uint32_t count)
    : best_(count, kUnreached), members_(count), strongest_(count, kNobody) {}

Claims Cells::claims(const CellRow& row) const {
  Claims claims;
  row.visit([&](std::uint32_t cell, double score) {
    if (score > best_[cell]) claims.improved.push_back(cell);
    if (score == best_[cell]) claims.tied.push_back(cell);
  });
  return claims;
}

void Cells::reserve(const Claims& claims) {
  for (const std::uint32_t cell : claims.improved) members_[cell].reserve(1);
  for (const std::uint32_t cell : claims.tied) make_room(members_[cell], 1);
}

void Cells::reserve(std::uint32_t cell, std::size_t candidates) {
  members_[cell].reserve(candidates);
}

void Cells::settle(std::uint32_t candidate, const CellRow& row,
                   const Standings& standings) noexcept {
  row.visit([&](std::uint32_t cell, double score) { enter(cell, candidate, score, standings); });
}

void Cells::clear(std::uint32_t cell) noexcept {
  members_[cell].clear();
  best_[cell] = kUnreached;
  strongest_[cell] = kNobody;
}

void Cells::enter(std::uint32_t cell, std::uint32_t candidate, double score,
                  const Standings& standings) noexcept {
  if (score > best_[cell]) {
    take(cell, candidate, score);
  } else if (score == best_[cell]) {
    join(cell, candidate, standings);
  }
}

void Cells::take(std::uint32_t cell, std::uint32_t candidate, double score) noexcept {
  members_[cell].clear();
  members_[cell].push_back(candidate);
  best_[cell] = score;
  strongest_[cell] = candidate;
}

void Cells::join(std::uint32_t cell, std::uint32_t candidate, const Standings& standings) noexcept {
  std::vector<std::uint32_t>& members = members_[cell];
  if (members.back() < candidate) {
    members.push_back(candidate);
  } else {
    members.insert(std::upper_bound(members.begin(), members.end(), candidate), candidate);
  }
  if (standings.weaker(strongest_[cell], candidate)) strongest_[cell] = candidate;
}

void Cells::restand(std::uint32_t candidate, const CellRow& row,
                    const Standings& standings) noexcept {
  row.visit([&](std::uint32_t cell, double score) {
    if (score != best_[cell]) return;
    if (strongest_[cell] == candidate) {
      find_strongest(cell, standings);
    } else if (standings.weaker(strongest_[cell], candidate)) {
      strongest_[cell] = candidate;
    }
  });
}

void Cells::find_strongest(std::uint32_t cell, const Standings& standings) noexcept {
  strongest_[cell] = members_[cell].front();
  for (const std::uint32_t member : members_[cell]) {
    if (standings.weaker(strongest_[cell], member)) strongest_[cell] = member;
  }
}

std::optional<double> Cells::best(std::uint32_t cell) const noexcept {
  if (members_[cell].empty()) return std::nullopt;
  return best_[cell];
}

}  // namespace gepa
