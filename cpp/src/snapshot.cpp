#include "gepa/snapshot.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <string>
#include <utility>

namespace gepa {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::array<std::uint8_t, 8> kMagic{'G', 'E', 'P', 'A', 'F', 'R', 'N', 'T'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kChecksum = sizeof(std::uint64_t);

class Writer {
 public:
  template <typename Integer>
  void integer(Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
  }

  void scores(const ScoreRow& row) {
    integer(static_cast<std::uint32_t>(row.size()));
    integer(static_cast<std::uint8_t>(row.dense() ? 1 : 0));
    if (!row.dense()) {
      for (const std::uint32_t column : row.columns()) integer(column);
    }
    for (const double score : row.scores()) integer(std::bit_cast<std::uint64_t>(score));
  }

  void raw(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

  std::vector<std::uint8_t> sealed() {
    integer(checksum(bytes_));
    return std::move(bytes_);
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : left_(bytes) {}

  template <typename Integer>
  Integer integer() {
    require(sizeof(Integer));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) value |= std::uint64_t{left_[i]} << (8 * i);
    left_ = left_.subspan(sizeof(Integer));
    return static_cast<Integer>(value);
  }

  /// Numbers of so many bytes each; checked before room is made for them.
  void require(std::size_t count, std::size_t each = 1) const {
    if (left_.size() / each < count) throw SnapshotError("the snapshot ends too early");
  }

  [[nodiscard]] bool done() const noexcept { return left_.empty(); }

 private:
  Bytes left_;
};

/// A row as it is handed to Frontier::add.
struct Scores {
  std::vector<double> values;
  std::vector<std::int64_t> columns;
};

Scores read_scores(Reader& reader, std::uint32_t columns) {
  const auto size = reader.integer<std::uint32_t>();
  const bool dense = reader.integer<std::uint8_t>() != 0;
  if (dense && size != columns && size != 0) throw SnapshotError("a row has too few scores");
  Scores scores;
  if (!dense) {
    reader.require(size, sizeof(std::uint32_t));
    for (std::uint32_t i = 0; i < size; ++i)
      scores.columns.push_back(reader.integer<std::uint32_t>());
  }
  reader.require(size, sizeof(double));
  for (std::uint32_t i = 0; i < size; ++i) {
    scores.values.push_back(std::bit_cast<double>(reader.integer<std::uint64_t>()));
  }
  if (dense && size != 0) {
    for (std::uint32_t i = 0; i < size; ++i) scores.columns.push_back(i);
  }
  return scores;
}

/// Objective scores as they were handed over, in the order of the instances.
class Given {
 public:
  Given(const Scores& rows, const Scores& scores, const Objectives& objectives) {
    const std::size_t count = objectives.count();
    values_.resize(rows.columns.size() * count);
    reported_.resize(values_.size());
    std::size_t at = 0;
    for (std::size_t row = 0; row < rows.columns.size(); ++row) {
      for (std::uint32_t objective = 0; objective < count; ++objective) {
        const auto column =
            rows.columns[row] * static_cast<std::int64_t>(count) + std::int64_t{objective};
        if (at == scores.columns.size() || scores.columns[at] != column) continue;
        values_[row * count + objective] = objectives.as_given(scores.values[at++], objective);
        reported_[row * count + objective] = 1;
      }
    }
    if (at != scores.columns.size()) throw SnapshotError("an objective has a row of its own");
  }

  [[nodiscard]] ObjectiveScores scores() const noexcept { return {values_, reported_}; }

 private:
  std::vector<double> values_;
  std::vector<std::uint8_t> reported_;
};

void read_candidate(Reader& reader, Frontier& frontier) {
  const Scores rows = read_scores(reader, frontier.instances());
  const Scores objectives = read_scores(reader, frontier.objectives().table().columns());
  const Given given(rows, objectives, frontier.objectives());
  const ObjectiveScores scores = given.scores();
  frontier.add(rows.values, std::span(rows.columns), objectives.values.empty() ? nullptr : &scores);
}

Bytes content(Bytes bytes) {
  if (bytes.size() < kMagic.size() + kChecksum ||
      !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    throw SnapshotError("these bytes are no snapshot of a frontier");
  }
  const Bytes content = bytes.first(bytes.size() - kChecksum);
  if (Reader(bytes.last(kChecksum)).integer<std::uint64_t>() != checksum(content)) {
    throw SnapshotError("the snapshot is damaged: its checksum differs");
  }
  return content.subspan(kMagic.size());
}

Frontier read_header(Reader& reader) {
  const auto version = reader.integer<std::uint32_t>();
  if (version != kVersion) {
    throw SnapshotError("the snapshot has version " + std::to_string(version) + ", not " +
                        std::to_string(kVersion));
  }
  const auto kind = reader.integer<std::uint8_t>();
  const auto instances = reader.integer<std::uint32_t>();
  const auto objectives = reader.integer<std::uint32_t>();
  reader.require(objectives);
  std::vector<Direction> directions;
  for (std::uint32_t i = 0; i < objectives; ++i) {
    const auto direction = reader.integer<std::uint8_t>();
    if (direction > 1) throw SnapshotError("the snapshot has an unknown direction");
    directions.push_back(static_cast<Direction>(direction));
  }
  if (kind > static_cast<std::uint8_t>(FrontierKind::cartesian)) {
    throw SnapshotError("the snapshot has an unknown kind of frontier");
  }
  return Frontier(instances, static_cast<FrontierKind>(kind), std::move(directions));
}

}  // namespace

std::uint64_t checksum(std::span<const std::uint8_t> bytes) noexcept {
  // Each step is a bijection of the state, so a difference in one word never vanishes.
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15U;
  std::uint64_t state = bytes.size();
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    const std::size_t end = std::min(bytes.size(), at + sizeof(std::uint64_t));
    for (std::size_t i = at; i < end; ++i) word |= std::uint64_t{bytes[i]} << (8 * (i - at));
    state = std::rotl((state ^ word) * multiplier, 29);
  }
  return state;
}

std::vector<std::uint8_t> snapshot(const Frontier& frontier) {
  Writer writer;
  writer.raw(kMagic);
  writer.integer(kVersion);
  writer.integer(static_cast<std::uint8_t>(frontier.kind()));
  writer.integer(frontier.instances());
  writer.integer(frontier.objectives().count());
  for (const Direction direction : frontier.objectives().directions()) {
    writer.integer(static_cast<std::uint8_t>(direction));
  }
  writer.integer(static_cast<std::uint32_t>(frontier.size()));
  for (std::size_t candidate = 0; candidate < frontier.size(); ++candidate) {
    writer.scores(*frontier.scores(candidate));
    writer.scores(frontier.objectives().table().row(candidate));
  }
  return writer.sealed();
}

Frontier restore(std::span<const std::uint8_t> bytes) {
  Reader reader(content(bytes));
  try {
    Frontier frontier = read_header(reader);
    for (auto left = reader.integer<std::uint32_t>(); left > 0; --left) {
      read_candidate(reader, frontier);
    }
    if (!reader.done()) throw SnapshotError("the snapshot goes on after its end");
    return frontier;
  } catch (const SnapshotError&) {
    throw;
  } catch (const std::invalid_argument& error) {
    throw SnapshotError(std::string("the snapshot makes no sense: ") + error.what());
  }
}

}  // namespace gepa
