#pragma once

#include <array>
#include <cstdint>

namespace gepa {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Philox 4x32 with ten rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
/// 2011).
[[nodiscard]] PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) noexcept;

}  // namespace gepa
