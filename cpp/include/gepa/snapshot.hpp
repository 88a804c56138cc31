#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "gepa/frontier.hpp"

namespace gepa {

/// Bytes that are no snapshot of this version, or were damaged.
class SnapshotError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// A frontier as bytes: a header, each candidate's scores, a checksum; little-endian everywhere.
/// What follows from the scores is not in it.
[[nodiscard]] std::vector<std::uint8_t> snapshot(const Frontier& frontier);

/// The frontier that the bytes were made from; every answer is the same. Throws SnapshotError.
[[nodiscard]] Frontier restore(std::span<const std::uint8_t> bytes);

/// The checksum of a snapshot's content: of any two contents that differ in one byte it differs.
[[nodiscard]] std::uint64_t checksum(std::span<const std::uint8_t> bytes) noexcept;

}  // namespace gepa
