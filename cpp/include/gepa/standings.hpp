#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gepa {

/// How the candidates stand as a whole: totals, means, coverage, and the best of all.
class Standings {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return totals_.size(); }

  /// Makes room, so that the next append cannot fail.
  void reserve_one();
  void append(double total, std::uint32_t coverage) noexcept;

  /// Enters a new total and coverage of a candidate that is there.
  void update(std::uint32_t candidate, double total, std::uint32_t coverage) noexcept;

  [[nodiscard]] double total(std::size_t candidate) const noexcept { return totals_[candidate]; }
  [[nodiscard]] double mean(std::size_t candidate) const noexcept { return means_[candidate]; }
  [[nodiscard]] std::uint32_t coverage(std::size_t candidate) const noexcept {
    return coverages_[candidate];
  }

  /// By mean, then coverage, then age. There must be a candidate.
  [[nodiscard]] std::uint32_t best() const noexcept { return best_; }

  /// All candidates by falling mean, the older first on equal means.
  [[nodiscard]] std::span<const std::uint32_t> ranking() const noexcept { return ranking_; }

  /// The order of reduction, weakest first: by mean, then the older one.
  [[nodiscard]] bool weaker(std::uint32_t a, std::uint32_t b) const noexcept {
    return means_[a] < means_[b] || (means_[a] == means_[b] && a < b);
  }

 private:
  void rank(std::uint32_t candidate) noexcept;
  [[nodiscard]] bool outranks_best(std::uint32_t candidate) const noexcept;
  void find_best() noexcept;

  std::vector<double> totals_;
  std::vector<double> means_;
  std::vector<std::uint32_t> coverages_;
  std::vector<std::uint32_t> ranking_;
  std::uint32_t best_ = 0;
};

}  // namespace gepa
