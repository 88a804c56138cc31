#include "gepa/standings.hpp"

#include "grow.hpp"

namespace gepa {

void Standings::reserve_one() {
  make_room(totals_, 1);
  make_room(means_, 1);
  make_room(coverages_, 1);
}

void Standings::append(double total, std::uint32_t coverage) noexcept {
  const auto candidate = static_cast<std::uint32_t>(totals_.size());
  totals_.push_back(total);
  means_.push_back(total / coverage);
  coverages_.push_back(coverage);
  if (outranks_best(candidate)) best_ = candidate;
}

bool Standings::outranks_best(std::uint32_t candidate) const noexcept {
  if (means_[candidate] != means_[best_]) return means_[candidate] > means_[best_];
  return coverages_[candidate] > coverages_[best_];
}

}  // namespace gepa
