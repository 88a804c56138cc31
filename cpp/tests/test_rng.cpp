#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "gepa/philox.hpp"
#include "gepa/rng.hpp"

using gepa::PhiloxCounter;
using gepa::Rng;
using gepa::Stream;

TEST_CASE("philox gives the published answers") {
  CHECK(gepa::philox4x32({0, 0, 0, 0}, {0, 0}) ==
        PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(gepa::philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(gepa::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                         {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream is the blocks of its own counter") {
  Rng rng(0x1122334455667788, 7, 0x99aabbccddeeff00);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const PhiloxCounter expected =
        gepa::philox4x32({block, 7, 0xddeeff00, 0x99aabbcc}, {0x55667788, 0x11223344});
    for (const std::uint32_t word : expected) CHECK(rng.next_u32() == word);
  }
}

TEST_CASE("two words make one of 64 bits, the earlier one low") {
  Rng words(1, Stream::ties, 2);
  Rng pairs(1, Stream::ties, 2);
  const std::uint64_t low = words.next_u32();
  const std::uint64_t high = words.next_u32();
  CHECK(pairs.next_u64() == (high << 32U | low));
}

TEST_CASE("uniform stays below one") {
  Rng rng(3, Stream::selection, 0);
  for (int i = 0; i < 10'000; ++i) {
    const double value = rng.uniform();
    CHECK_UNARY(value >= 0.0 && value < 1.0);
  }
}

TEST_CASE("bounded draws stay in bounds, on both sides of 32 bits") {
  Rng rng(4, Stream::selection, 0);
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{0xffffffff},
                                std::uint64_t{0x100000000}, std::uint64_t{3} << 62U, largest}) {
    for (int i = 0; i < 1000; ++i) CHECK_UNARY(rng.below(n) < n);
  }
  CHECK_THROWS_AS((void)rng.below(0), std::invalid_argument);
}

TEST_CASE("a bounded draw above 32 bits fills its whole range evenly") {
  Rng rng(5, Stream::selection, 0);
  const std::uint64_t n = std::uint64_t{3} << 62U;
  std::array<int, 3> thirds{};
  for (int i = 0; i < 30'000; ++i) ++thirds[rng.below(n) >> 62U];
  for (const int count : thirds) CHECK_UNARY(count > 9'600 && count < 10'400);
}

TEST_CASE("a shuffle is a permutation") {
  for (const std::uint32_t n : {0U, 1U, 2U, 100U}) {
    std::vector<std::uint32_t> order = Rng(6, Stream::minibatch, n).shuffle(n);
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> expected(n);
    std::iota(expected.begin(), expected.end(), 0U);
    CHECK(order == expected);
  }
}

TEST_CASE("a choice never falls on a weight of zero") {
  Rng rng(7, Stream::ties, 0);
  const std::vector<double> weights{0.0, 1.0, 0.0, 2.0, 0.0};
  for (int i = 0; i < 1000; ++i) {
    const std::size_t at = rng.choice(weights);
    CHECK_UNARY(at == 1 || at == 3);
  }
}

TEST_CASE("weights that cannot be drawn from are refused") {
  Rng rng(8, Stream::ties, 0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const double largest = std::numeric_limits<double>::max();
  for (const std::vector<double>& weights : std::vector<std::vector<double>>{
           {}, {0.0}, {1.0, -1.0}, {nan}, {infinity}, {largest, largest}}) {
    CHECK_THROWS_AS((void)rng.choice(weights), std::invalid_argument);
  }
}
