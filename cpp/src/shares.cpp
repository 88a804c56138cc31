#include "gepa/shares.hpp"

#include <algorithm>
#include <cstddef>

namespace gepa {
namespace {

/// A candidate and the cells that it holds.
struct Holder {
  std::uint32_t candidate;
  std::vector<std::uint32_t> cells;
};

Holder holder(const Frontier& frontier, std::uint32_t candidate) {
  Holder holder{candidate, {}};
  frontier.cell_row(candidate).visit([&](std::uint32_t cell, double score) {
    if (frontier.all_cells().is_best(cell, score)) holder.cells.push_back(cell);
  });
  return holder;
}

/// The k best, weakest first.
std::vector<Holder> top_holders(const Frontier& frontier, std::uint32_t k) {
  const auto ranking = frontier.standings().ranking();
  std::vector<std::uint32_t> top(
      ranking.begin(),
      ranking.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(k, ranking.size())));
  std::sort(top.begin(), top.end(),
            [&](std::uint32_t a, std::uint32_t b) { return frontier.standings().weaker(a, b); });
  std::vector<Holder> holders;
  holders.reserve(top.size());
  for (const std::uint32_t candidate : top) holders.push_back(holder(frontier, candidate));
  return holders;
}

}  // namespace

std::vector<Share> unpruned_shares(const Frontier& frontier) {
  std::vector<std::uint32_t> held(frontier.size());
  for (std::uint32_t cell = 0; cell < frontier.cells(); ++cell) {
    for (const std::uint32_t member : frontier.members(cell)) ++held[member];
  }
  std::vector<Share> shares;
  for (std::uint32_t i = 0; i < held.size(); ++i) {
    if (held[i] > 0) shares.push_back({i, held[i]});
  }
  return shares;
}

std::vector<Share> top_shares(const Frontier& frontier, std::uint32_t k) {
  const std::vector<Holder> holders = top_holders(frontier, k);
  std::vector<std::uint32_t> live(frontier.cells());
  for (const Holder& holder : holders) {
    for (const std::uint32_t cell : holder.cells) ++live[cell];
  }
  std::vector<Share> shares;
  for (const Holder& holder : holders) {
    const bool spare = std::all_of(holder.cells.begin(), holder.cells.end(),
                                   [&](std::uint32_t cell) { return live[cell] > 1; });
    if (spare) {
      for (const std::uint32_t cell : holder.cells) --live[cell];
    } else {
      shares.push_back({holder.candidate, static_cast<std::uint32_t>(holder.cells.size())});
    }
  }
  std::sort(shares.begin(), shares.end(),
            [](const Share& a, const Share& b) { return a.candidate < b.candidate; });
  return shares;
}

}  // namespace gepa
