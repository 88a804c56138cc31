// Drives the whole public interface with whatever bytes say, and holds what comes back to its
// promises.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "gepa/acceptance.hpp"
#include "gepa/criteria.hpp"
#include "gepa/evidence.hpp"
#include "gepa/frontier.hpp"
#include "gepa/lineage.hpp"
#include "gepa/merge.hpp"
#include "gepa/minibatch.hpp"
#include "gepa/selection.hpp"
#include "gepa/shares.hpp"
#include "gepa/snapshot.hpp"

namespace {

using gepa::Frontier;
using gepa::Rng;
using gepa::Stream;

void require(bool promise) {
  if (!promise) std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

  [[nodiscard]] bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t first = left_.front();
    left_ = left_.subspan(1);
    return first;
  }
  std::uint8_t below(std::uint8_t n) { return static_cast<std::uint8_t>(byte() % n); }

  /// Mostly grades that tie; now and then what must be refused or is hard to add.
  double number() {
    constexpr std::array special{1e308, -1e308, 5e-324, 0.1, 0.2, 0.3, -0.0, 1e16};
    const std::uint8_t at = byte();
    if (at < 8) return special.at(at);
    if (at == 8) return 0.0 / static_cast<double>(at - 8);
    return (at % 5 - 2) / 4.0;
  }
  std::vector<double> numbers(std::size_t count) {
    std::vector<double> all(count);
    for (double& each : all) each = number();
    return all;
  }
  std::vector<std::int64_t> integers(std::size_t count, std::uint8_t n) {
    std::vector<std::int64_t> all(count);
    for (std::int64_t& each : all) each = std::int64_t{below(n)} - (byte() == 0 ? 1 : 0);
    return all;
  }
  [[nodiscard]] std::span<const std::uint8_t> rest() const { return left_; }

 private:
  std::span<const std::uint8_t> left_;
};

/// What is refused must be refused with one of ours.
template <typename Call>
void attempt(Call call) {
  try {
    call();
  } catch (const std::invalid_argument&) {
  } catch (const std::out_of_range&) {
  }
}

/// By live counters, from all scores anew.
std::vector<gepa::Share> reduced_anew(const Frontier& frontier) {
  return gepa::top_shares(frontier, static_cast<std::uint32_t>(frontier.size()));
}

void check(const Frontier& frontier) {
  const auto shares = frontier.reduction().shares();
  const std::vector<gepa::Share> anew = reduced_anew(frontier);
  require(std::equal(shares.begin(), shares.end(), anew.begin(), anew.end()));
  for (std::uint32_t cell = 0; cell < frontier.cells(); ++cell) {
    const auto members = frontier.members(cell);
    require(std::is_sorted(members.begin(), members.end()));
    bool covered = members.empty();
    for (const std::uint32_t member : members) covered |= frontier.reduction().keeps(member);
    require(covered);
  }
  const std::vector<std::uint8_t> bytes = gepa::snapshot(frontier);
  require(gepa::snapshot(gepa::restore(bytes)) == bytes);
}

void put(Frontier& frontier, Input& input) {
  const std::size_t count = input.below(8);
  const std::vector<double> scores = input.numbers(count);
  const auto columns = static_cast<std::uint8_t>(frontier.instances() + 1);
  const std::vector<std::int64_t> named = input.integers(count, columns);
  const std::vector<double> values = input.numbers(count * frontier.objectives().count());
  std::vector<std::uint8_t> reported(values.size());
  for (std::uint8_t& each : reported) each = input.below(4) == 0 ? 0 : 1;
  const gepa::ObjectiveScores objectives{values, reported};
  const gepa::NamedInstances instances =
      input.below(4) == 0 ? gepa::NamedInstances() : gepa::NamedInstances(named);
  const gepa::ObjectiveScores* given = input.below(4) == 0 ? nullptr : &objectives;
  const std::size_t candidate = input.below(16);
  attempt([&] {
    if (candidate < frontier.size()) {
      frontier.extend(candidate, scores, instances, given);
    } else {
      frontier.add(scores, instances, given);
    }
  });
}

void select(const Frontier& frontier, Input& input) {
  constexpr std::array<std::string_view, 7> rules{
      "pareto",         "current_best", "epsilon_greedy", "top_k_pareto", "pareto_unpruned",
      "batch_lexicase", "none"};
  const std::string_view rule = rules.at(input.below(rules.size()));
  const gepa::SelectionOptions options{input.below(5) / 4.0, input.below(4), input.below(5) / 4.0,
                                       input.below(4)};
  Rng rng(input.byte(), Stream::selection, input.byte());
  attempt([&] { require(gepa::select(frontier, rule, rng, options) < frontier.size()); });
  if (frontier.cells() > 4 && rule == "batch_lexicase") return;
  attempt([&] {
    double sum = 0.0;
    for (const gepa::Chance& chance : gepa::distribution(frontier, rule, options)) {
      require(chance.probability > 0.0 && chance.candidate < frontier.size());
      sum += chance.probability;
    }
    require(sum > 1.0 - 1e-9 && sum < 1.0 + 1e-9);
  });
}

void judge(Input& input) {
  constexpr std::array<std::string_view, 5> rules{"strict_improvement", "improvement_or_equal",
                                                  "paired", "sequential", "none"};
  constexpr std::array<std::string_view, 5> criteria{"primary", "any_objective_improved",
                                                     "primary_or_objective",
                                                     "protected_objective_guard", "none"};
  const std::size_t rows = input.below(12);
  const std::vector<double> before = input.numbers(rows);
  const std::vector<double> after = input.numbers(rows);
  const gepa::AcceptanceOptions options{input.below(3) / 8.0, input.below(5) / 4.0,
                                        input.below(5) / 4.0, input.below(9) / 8.0,
                                        input.below(16)};
  attempt([&] {
    const gepa::Decision decision =
        gepa::accept(rules.at(input.below(rules.size())), before, after, options);
    require(decision.accepted == (decision.verdict == gepa::Verdict::accepted));
    require((decision.more_rows > 0) == (decision.verdict == gepa::Verdict::undecided));
    require(!decision.p || (*decision.p > 0.0 && *decision.p <= 1.0));
    const gepa::ObjectiveScores ours{before, {}};
    const gepa::ObjectiveScores theirs{after, {}};
    const gepa::ObjectiveCriterion criterion{{gepa::Direction::minimize}, 0.05, 0.1, {0}};
    (void)gepa::weigh_objectives(decision, criteria.at(input.below(criteria.size())), ours, theirs,
                                 criterion);
  });
}

void batch(Input& input) {
  const std::size_t rows = input.below(20);
  const std::uint32_t size = input.below(8);
  const std::vector<std::int64_t> strata = input.integers(rows, 4);
  const std::vector<double> misses = input.numbers(rows);
  attempt([&] {
    for (const auto& drawn :
         {gepa::minibatch(1, input.byte(), static_cast<std::uint32_t>(rows), size),
          gepa::ordered_minibatch(input.byte(), static_cast<std::uint32_t>(rows), size),
          gepa::stratified_minibatch(1, input.byte(), strata, size),
          gepa::failure_weighted_minibatch(1, input.byte(), misses, size, 0.25)}) {
      require(drawn.size() == std::min<std::size_t>(size, rows));
    }
  });
}

void merge(const Frontier& frontier, gepa::Lineage& lineage, gepa::Merger& merger, Input& input) {
  while (lineage.size() < frontier.size()) {
    const std::vector<std::int64_t> parents = input.integers(input.below(3), 8);
    const std::vector<std::int64_t> texts = input.integers(2, 3);
    attempt([&] { lineage.add(parents, texts); });
    if (input.empty()) return;
  }
  Rng rng(1, Stream::merge, input.byte());
  attempt([&] {
    const auto found = merger.propose(frontier, lineage, rng, {input.below(9), input.below(3)});
    if (!found) return;
    require(found->first < found->second && found->ancestor < found->first);
    const auto rows = gepa::check_rows(frontier, found->first, found->second, 5, rng);
    require(rows.size() <= 5);
  });
}

/// The bytes as a snapshot that is sealed, so that what lies behind the seal is reached.
void restore(std::span<const std::uint8_t> content) {
  std::vector<std::uint8_t> bytes{'G', 'E', 'P', 'A', 'F', 'R', 'N', 'T', 1, 0, 0, 0};
  // The number of instances is kept small: room is made for cells, not for scores alone.
  if (content.size() > 4) {
    bytes.insert(bytes.end(), {content[0], content[1], 0, 0, 0});
    bytes.insert(bytes.end(), content.begin() + 2, content.end());
  }
  std::uint64_t seal = gepa::checksum(bytes);
  for (int i = 0; i < 8; ++i, seal >>= 8U) bytes.push_back(static_cast<std::uint8_t>(seal));
  attempt([&] { check(gepa::restore(bytes)); });
  attempt([&] { (void)gepa::restore(content); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  if (input.below(8) == 0) {
    restore(input.rest());
    return 0;
  }
  const auto kind = static_cast<gepa::FrontierKind>(input.below(4));
  std::vector<gepa::Direction> directions(input.below(3) + std::size_t{1});
  for (gepa::Direction& each : directions) each = static_cast<gepa::Direction>(input.below(2));
  Frontier frontier(input.below(7) + 1U, kind, directions);
  gepa::Lineage lineage;
  gepa::Merger merger;
  while (!input.empty() && frontier.size() < 24) {
    switch (input.below(8)) {
      case 0:
        select(frontier, input);
        break;
      case 1:
        judge(input);
        break;
      case 2:
        batch(input);
        break;
      case 3:
        merge(frontier, lineage, merger, input);
        break;
      case 4:
        check(frontier);
        break;
      default:
        put(frontier, input);
    }
  }
  check(frontier);
  return 0;
}
