#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gepa {

/// How the candidates stand as a whole: totals, means, coverage, and the best of all.
class Standings {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return totals_.size(); }

  /// Makes room, so that the next append cannot fail.
  void reserve_one();
  void append(double total, std::uint32_t coverage) noexcept;

  [[nodiscard]] double total(std::size_t candidate) const noexcept { return totals_[candidate]; }
  [[nodiscard]] double mean(std::size_t candidate) const noexcept { return means_[candidate]; }
  [[nodiscard]] std::uint32_t coverage(std::size_t candidate) const noexcept {
    return coverages_[candidate];
  }

  /// By mean, then coverage, then age. There must be a candidate.
  [[nodiscard]] std::uint32_t best() const noexcept { return best_; }

  /// The order of reduction, weakest first: by mean, then the older one.
  [[nodiscard]] bool weaker(std::uint32_t a, std::uint32_t b) const noexcept {
    return means_[a] < means_[b] || (means_[a] == means_[b] && a < b);
  }

 private:
  [[nodiscard]] bool outranks_best(std::uint32_t candidate) const noexcept;

  std::vector<double> totals_;
  std::vector<double> means_;
  std::vector<std::uint32_t> coverages_;
  std::uint32_t best_ = 0;
};

}  // namespace gepa
