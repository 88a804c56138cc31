#include "gepa/cells.hpp"

#include <limits>

#include "grow.hpp"

namespace gepa {
namespace {

constexpr std::uint32_t kWordBits = 64;
constexpr double kUnreached = -std::numeric_limits<double>::infinity();

std::uint64_t bit(std::uint32_t cell) noexcept {
  return std::uint64_t{1} << (cell % kWordBits);
}

}  // namespace

Cells::Cells(std::uint32_t count)
    : best_(count, kUnreached),
      members_(count),
      strongest_(count),
      words_((std::size_t{count} + kWordBits - 1) / kWordBits) {}

Claims Cells::claims(const ScoreRow& row) const {
  Claims claims;
  for (std::size_t i = 0; i < row.scores.size(); ++i) {
    const std::uint32_t cell = row.column(i);
    if (row.scores[i] > best_[cell]) claims.improved.push_back(cell);
    if (row.scores[i] == best_[cell]) claims.tied.push_back(cell);
  }
  return claims;
}

void Cells::reserve(const Claims& claims) {
  make_room(held_, words_);
  for (const std::uint32_t cell : claims.improved) members_[cell].reserve(1);
  for (const std::uint32_t cell : claims.tied) make_room(members_[cell], 1);
}

void Cells::settle(const ScoreRow& row, const Standings& standings) noexcept {
  const std::uint32_t candidate = candidates_++;
  held_.resize(held_.size() + words_);
  for (std::size_t i = 0; i < row.scores.size(); ++i) {
    const std::uint32_t cell = row.column(i);
    if (row.scores[i] > best_[cell]) {
      take(cell, candidate, row.scores[i]);
    } else if (row.scores[i] == best_[cell]) {
      join(cell, candidate, standings);
    }
  }
}

void Cells::take(std::uint32_t cell, std::uint32_t candidate, double score) noexcept {
  for (const std::uint32_t former : members_[cell]) word(cell, former) &= ~bit(cell);
  members_[cell].clear();
  members_[cell].push_back(candidate);
  word(cell, candidate) |= bit(cell);
  best_[cell] = score;
  strongest_[cell] = candidate;
}

void Cells::join(std::uint32_t cell, std::uint32_t candidate, const Standings& standings) noexcept {
  members_[cell].push_back(candidate);
  word(cell, candidate) |= bit(cell);
  if (standings.weaker(strongest_[cell], candidate)) strongest_[cell] = candidate;
}

std::uint64_t& Cells::word(std::uint32_t cell, std::uint32_t candidate) noexcept {
  return held_[candidate * words_ + cell / kWordBits];
}

std::optional<double> Cells::best(std::uint32_t cell) const noexcept {
  if (members_[cell].empty()) return std::nullopt;
  return best_[cell];
}

}  // namespace gepa
