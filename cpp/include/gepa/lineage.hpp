#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gepa {

/// Who came from whom, and which text stands in which component: texts are known by numbers that
/// the caller gives them, alike for alike texts.
///
/// Candidates are numbered in the order in which they are added, as in a Frontier. Ancestors are
/// found without recursion, at any depth.
class Lineage {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return parents_begin_.size() - 1; }
  [[nodiscard]] std::size_t components() const noexcept { return components_; }

  /// Adds the next candidate: its parents, none for a seed, and the text of each component. Throws
  /// std::invalid_argument for a parent that is not there yet and for a number of components that
  /// differs from the first candidate's or is 0; nothing has changed then.
  std::uint32_t add(std::span<const std::int64_t> parents, std::span<const std::int64_t> texts);

  /// These three throw std::out_of_range for a candidate that does not exist.
  [[nodiscard]] std::span<const std::uint32_t> parents(std::size_t candidate) const;
  [[nodiscard]] std::span<const std::int64_t> texts(std::size_t candidate) const;
  /// Ascending, without the candidate itself. O(ancestors).
  [[nodiscard]] std::vector<std::uint32_t> ancestors(std::size_t candidate) const;

  /// The ancestors that two candidates share, ascending; empty when one is an ancestor of the
  /// other, and then there is nothing to merge. O(ancestors).
  [[nodiscard]] std::optional<std::vector<std::uint32_t>> common_ancestors(
      std::size_t first, std::size_t second) const;

 private:
  void require(std::size_t candidate) const;
  [[nodiscard]] std::vector<std::uint32_t> walk(std::size_t candidate) const;

  std::size_t components_ = 0;
  std::vector<std::size_t> parents_begin_{0};
  std::vector<std::uint32_t> parents_;
  std::vector<std::int64_t> texts_;
  /// The walk that last came by, for each candidate.
  mutable std::vector<std::uint64_t> visited_;
  mutable std::uint64_t walks_ = 0;
};

}  // namespace gepa
