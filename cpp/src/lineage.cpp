#include "gepa/lineage.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "grow.hpp"

namespace gepa {

std::uint32_t Lineage::add(std::span<const std::int64_t> parents,
                           std::span<const std::int64_t> texts) {
  for (const std::int64_t parent : parents) {
    if (parent >= 0 && parent < static_cast<std::int64_t>(size())) continue;
    throw std::invalid_argument("candidate " + std::to_string(size()) + ": there is no parent " +
                                std::to_string(parent) + " yet");
  }
  if (texts.empty()) throw std::invalid_argument("a candidate needs at least one component");
  if (size() > 0 && texts.size() != components_) {
    throw std::invalid_argument("candidate " + std::to_string(size()) + ": got " +
                                std::to_string(texts.size()) + " components; the others have " +
                                std::to_string(components_));
  }
  make_room(parents_begin_, 1);
  make_room(parents_, parents.size());
  make_room(texts_, texts.size());
  make_room(visited_, 1);
  for (const std::int64_t parent : parents) parents_.push_back(static_cast<std::uint32_t>(parent));
  parents_begin_.push_back(parents_.size());
  texts_.insert(texts_.end(), texts.begin(), texts.end());
  visited_.push_back(0);
  components_ = texts.size();
  return static_cast<std::uint32_t>(size() - 1);
}

std::span<const std::uint32_t> Lineage::parents(std::size_t candidate) const {
  require(candidate);
  const std::size_t begin = parents_begin_[candidate];
  return {parents_.data() + begin, parents_begin_[candidate + 1] - begin};
}

std::span<const std::int64_t> Lineage::texts(std::size_t candidate) const {
  require(candidate);
  return {texts_.data() + candidate * components_, components_};
}

std::vector<std::uint32_t> Lineage::ancestors(std::size_t candidate) const {
  require(candidate);
  std::vector<std::uint32_t> found = walk(candidate);
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<std::vector<std::uint32_t>> Lineage::common_ancestors(std::size_t first,
                                                                    std::size_t second) const {
  require(first);
  require(second);
  const std::size_t younger = std::max(first, second);
  const std::size_t older = std::min(first, second);
  (void)walk(younger);
  const std::uint64_t theirs = walks_;
  if (younger == older || visited_[older] == theirs) return std::nullopt;

  std::vector<std::uint32_t> common;
  std::vector<std::uint32_t> waiting;
  const std::uint64_t ours = ++walks_;
  const auto meet = [&](std::size_t from) {
    for (const std::uint32_t parent : parents(from)) {
      if (visited_[parent] == ours) continue;
      if (visited_[parent] == theirs) common.push_back(parent);
      visited_[parent] = ours;
      waiting.push_back(parent);
    }
  };
  meet(older);
  while (!waiting.empty()) {
    const std::uint32_t next = waiting.back();
    waiting.pop_back();
    meet(next);
  }
  std::sort(common.begin(), common.end());
  return common;
}

/// All ancestors in no order; marks them with the number of the walk.
std::vector<std::uint32_t> Lineage::walk(std::size_t candidate) const {
  const std::uint64_t mark = ++walks_;
  std::vector<std::uint32_t> found;
  std::size_t done = 0;
  std::size_t at = candidate;
  while (true) {
    for (const std::uint32_t parent : parents(at)) {
      if (visited_[parent] == mark) continue;
      visited_[parent] = mark;
      found.push_back(parent);
    }
    if (done == found.size()) return found;
    at = found[done++];
  }
}

void Lineage::require(std::size_t candidate) const {
  if (candidate < size()) return;
  throw std::out_of_range("there is no candidate " + std::to_string(candidate) +
                          "; the lineage has " + std::to_string(size()));
}

}  // namespace gepa
