#include "gepa/standings.hpp"

#include <algorithm>

#include "grow.hpp"

namespace gepa {

void Standings::reserve_one() {
  make_room(totals_, 1);
  make_room(means_, 1);
  make_room(coverages_, 1);
  make_room(ranking_, 1);
}

void Standings::append(double total, std::uint32_t coverage) noexcept {
  const auto candidate = static_cast<std::uint32_t>(totals_.size());
  totals_.push_back(total);
  means_.push_back(total / coverage);
  coverages_.push_back(coverage);
  rank(candidate);
  if (outranks_best(candidate)) best_ = candidate;
}

void Standings::update(std::uint32_t candidate, double total, std::uint32_t coverage) noexcept {
  ranking_.erase(std::find(ranking_.begin(), ranking_.end(), candidate));
  totals_[candidate] = total;
  means_[candidate] = total / coverage;
  coverages_[candidate] = coverage;
  rank(candidate);
  find_best();
}

void Standings::rank(std::uint32_t candidate) noexcept {
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return means_[a] > means_[b] || (means_[a] == means_[b] && a < b);
  };
  ranking_.insert(std::lower_bound(ranking_.begin(), ranking_.end(), candidate, before), candidate);
}

bool Standings::outranks_best(std::uint32_t candidate) const noexcept {
  if (means_[candidate] != means_[best_]) return means_[candidate] > means_[best_];
  return coverages_[candidate] > coverages_[best_];
}

void Standings::find_best() noexcept {
  best_ = ranking_.front();
  for (const std::uint32_t candidate : ranking_) {
    if (means_[candidate] != means_[best_]) return;
    if (outranks_best(candidate)) best_ = candidate;
  }
}

}  // namespace gepa
