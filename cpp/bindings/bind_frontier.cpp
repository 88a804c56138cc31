#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "bindings.hpp"
#include "gepa/frontier.hpp"
#include "gepa/selection.hpp"
#include "gepa/snapshot.hpp"

namespace py = pybind11;

namespace gepa::bindings {
namespace {

using Candidates = std::vector<std::uint32_t>;
using Fronts = std::vector<std::pair<std::uint32_t, Candidates>>;
using Weights = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
using Key = std::pair<std::optional<std::uint32_t>, std::optional<std::uint32_t>>;

constexpr auto kReportDoc = "What adding scores did to the cells of the frontier.";

constexpr auto kFrontierDoc =
    "The score matrix of a run and everything that is asked of it at each step.\n\n"
    "Candidates are numbered 0, 1, 2 … as they are added; none is ever removed. Higher is better, "
    "ties are\n"
    "exact, and no result depends on the order of a sum. One frontier is for one thread at a "
    "time.\n\n"
    "Args:\n"
    "    instances: the number of rows that candidates are scored on, at least 1.\n"
    "    kind: what the cells stand for: \"instance\", one each; \"objective\", one each, by its "
    "mean;\n"
    "        \"hybrid\", the instances, then the objectives; \"cartesian\", cell instance * "
    "objectives +\n"
    "        objective.\n"
    "    directions: \"maximize\" or \"minimize\" for each objective; all kinds but \"instance\" "
    "need one.\n\n"
    "Raises:\n"
    "    ValueError: no instances, an unknown kind or direction, or a kind without the objectives "
    "it needs.\n";

constexpr auto kAddDoc =
    "Add the next candidate.\n\n"
    "Args:\n"
    "    scores: a score for each instance; taken in place from a buffer of doubles.\n"
    "    instances: for partial coverage, the instances that the scores are for, in any order.\n"
    "    objectives: for each of these scores a row with a value for each objective, None where "
    "it is not\n"
    "        reported; taken in place from a buffer of doubles in two dimensions.\n\n"
    "Raises:\n"
    "    ScoreError: the scores cannot be ranked, or the kind needs objectives and none is "
    "reported; nothing\n"
    "        has changed then.\n"
    "    TypeError: something is not a number.\n";

constexpr auto kExtendDoc =
    "Add scores of a candidate on instances that it had none on.\n\n"
    "Args:\n"
    "    candidate: its index.\n"
    "    scores: as for `add`.\n"
    "    instances: as for `add`.\n"
    "    objectives: as for `add`.\n\n"
    "Raises:\n"
    "    IndexError: there is no such candidate.\n"
    "    ScoreError: as for `add`, or it has a score on one of them already; nothing has changed "
    "then.\n"
    "    TypeError: something is not a number.\n";

constexpr auto kWeightsDoc =
    "The candidates that a pareto rule draws from, each with its weight.\n\n"
    "Args:\n"
    "    rule: \"pareto\", each survivor with the number of fronts that it is on; "
    "\"pareto_unpruned\", whoever\n"
    "        is on a front; \"top_k_pareto\", as pareto with the k best alone on the fronts.\n"
    "    k: for \"top_k_pareto\".\n\n"
    "Raises:\n"
    "    ValueError: another rule, a k of 0, or no candidate with a rule other than \"pareto\".\n";

constexpr auto kSelectDoc =
    "The parent that a rule selects.\n\n"
    "Args:\n"
    "    frontier: where to select from.\n"
    "    rule: \"pareto\", a survivor of the reduction in proportion to the cells that it holds;\n"
    "        \"current_best\", the best candidate, which draws nothing;\n"
    "        \"epsilon_greedy\", anybody with probability epsilon, else the best;\n"
    "        \"top_k_pareto\", as pareto with the k best alone on the fronts, or the best when "
    "none "
    "of them is\n"
    "        on any;\n"
    "        \"pareto_unpruned\", whoever is on a front in proportion to the fronts that it is "
    "on;\n"
    "        \"batch_lexicase\", whoever stays when one random batch of cells after the other lets "
    "pass only\n"
    "        those with the best mean on it.\n"
    "    rng: a stream of STREAM_SELECTION.\n"
    "    epsilon: for rules that explore, between 0 and 1.\n"
    "    k: for rules that keep the k best, at least 1.\n"
    "    best_floor: for the pareto rules, the least probability of the best candidate.\n"
    "    batch: for \"batch_lexicase\", the number of cells in a batch, at least 1.\n\n"
    "Raises:\n"
    "    ValueError: unknown rule, option out of range, or no candidate yet.\n";

constexpr auto kDistributionDoc =
    "The exact probability of each candidate that `select` can give.\n\n"
    "Args:\n"
    "    frontier: as for `select`.\n"
    "    rule: as for `select`.\n"
    "    epsilon: as for `select`.\n"
    "    k: as for `select`.\n"
    "    best_floor: as for `select`.\n"
    "    batch: as for `select`.\n\n"
    "Raises:\n"
    "    ValueError: as for `select`; or \"batch_lexicase\" with more than 12 cells or 64 "
    "candidates.\n";

/// A row of scores that Python looks into; it keeps the row alive and the row never changes.
struct ScoreView {
  ScoreTable::Row row;
};

Candidates list_of(std::span<const std::uint32_t> candidates) {
  return {candidates.begin(), candidates.end()};
}

std::size_t cell_index(const Frontier& frontier, py::ssize_t cell) {
  return index(cell, frontier.kind() == FrontierKind::instance ? "instance" : "cell");
}

std::optional<Matrix> matrix(const Frontier& frontier,
                             const std::optional<MatrixLike>& objectives) {
  if (!objectives) return std::nullopt;
  return std::optional<Matrix>(std::in_place, *objectives, frontier.objectives().count(),
                               "objectives");
}

/// Calls put(scores, instances, objectives) with what Python handed over.
template <typename Put>
AddReport put(const Frontier& frontier, const NumbersLike& scores,
              const std::optional<IndicesLike>& instances,
              const std::optional<MatrixLike>& objectives, Put put) {
  const Doubles numbers(scores, "scores");
  const std::optional<Matrix> table = matrix(frontier, objectives);
  const ObjectiveScores* values = table ? &table->scores() : nullptr;
  if (!instances) return put(numbers.span(), std::nullopt, values);
  const std::vector<std::int64_t> named = integers(*instances, "instances");
  return put(numbers.span(), NamedInstances(named), values);
}

AddReport add(Frontier& frontier, const NumbersLike& scores,
              const std::optional<IndicesLike>& instances,
              const std::optional<MatrixLike>& objectives) {
  return put(frontier, scores, instances, objectives,
             [&](auto numbers, NamedInstances named, const ObjectiveScores* values) {
               return frontier.add(numbers, named, values);
             });
}

AddReport extend(Frontier& frontier, py::ssize_t candidate, const NumbersLike& scores,
                 const std::optional<IndicesLike>& instances,
                 const std::optional<MatrixLike>& objectives) {
  return put(frontier, scores, instances, objectives,
             [&](auto numbers, NamedInstances named, const ObjectiveScores* values) {
               return frontier.extend(index(candidate, "candidate"), numbers, named, values);
             });
}

Candidates reduced(const Frontier& frontier, std::uint32_t cell) {
  Candidates kept;
  for (const std::uint32_t candidate : frontier.members(cell)) {
    if (frontier.reduction().keeps(candidate)) kept.push_back(candidate);
  }
  return kept;
}

Fronts fronts(const Frontier& frontier) {
  Fronts all;
  for (std::uint32_t cell = 0; cell < frontier.cells(); ++cell) {
    if (!frontier.members(cell).empty()) all.emplace_back(cell, list_of(frontier.members(cell)));
  }
  return all;
}

Fronts reduced_fronts(const Frontier& frontier) {
  Fronts all;
  for (std::uint32_t cell = 0; cell < frontier.cells(); ++cell) {
    if (!frontier.members(cell).empty()) all.emplace_back(cell, reduced(frontier, cell));
  }
  return all;
}

Candidates survivors(const Frontier& frontier) {
  Candidates all;
  for (const Share& share : frontier.reduction().shares()) all.push_back(share.candidate);
  return all;
}

Weights pairs(std::span<const Share> shares) {
  Weights all;
  for (const Share& share : shares) all.emplace_back(share.candidate, share.cells);
  return all;
}

/// An empty frontier has survivors to tell of, namely none, though nobody to select.
Weights weights_of(const Frontier& frontier, const std::string& rule, std::uint32_t k) {
  if (rule == "pareto") return pairs(frontier.reduction().shares());
  return pairs(weights(frontier, rule, {.k = k}));
}

py::memoryview scores_of(const Frontier& frontier, py::ssize_t candidate) {
  return py::memoryview(py::cast(ScoreView{frontier.scores(index(candidate, "candidate"))}));
}

py::buffer_info look(const ScoreView& view) {
  return {const_cast<double*>(view.row->scores().data()),
          static_cast<py::ssize_t>(view.row->size()), true};
}

py::bytes snapshot_of(const Frontier& frontier) {
  const std::vector<std::uint8_t> bytes = snapshot(frontier);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Frontier restored(const py::bytes& bytes) {
  const std::string_view view = bytes;
  const std::span content(reinterpret_cast<const std::uint8_t*>(view.data()), view.size());
  // Bytes never change, and nobody else knows the frontier yet.
  const py::gil_scoped_release unlocked;
  return restore(content);
}

std::vector<std::pair<std::uint32_t, double>> distribution_of(const Frontier& frontier,
                                                              const std::string& rule,
                                                              const SelectionOptions& options) {
  std::vector<std::pair<std::uint32_t, double>> all;
  for (const Chance& chance : distribution(frontier, rule, options)) {
    all.emplace_back(chance.candidate, chance.probability);
  }
  return all;
}

void bind_report(py::module_& module) {
  py::class_<AddReport>(module, "AddReport", kReportDoc, py::is_final())
      .def_readonly("candidate", &AddReport::candidate, "The candidate's index.")
      .def_readonly(
          "improved", &AddReport::improved,
          "The cells that it now holds alone, having beaten whoever held them; ascending.")
      .def_readonly("tied", &AddReport::tied, "The cells that it now shares; ascending.")
      .def_readonly("lost", &AddReport::lost,
                    "The cells that it held before and no longer does, its mean having fallen; "
                    "ascending.")
      .def("__repr__", [](const AddReport& report) {
        return "AddReport(candidate=" + std::to_string(report.candidate) +
               ", improved=" + std::string(py::repr(py::cast(report.improved))) +
               ", tied=" + std::string(py::repr(py::cast(report.tied))) +
               ", lost=" + std::string(py::repr(py::cast(report.lost))) + ")";
      });
}

void bind_shape(py::class_<Frontier>& type) {
  type.def("__len__", [](const Frontier& self) { return self.size(); })
      .def_property_readonly("instances", &Frontier::instances, "The number of instances.")
      .def_property_readonly(
          "kind", [](const Frontier& self) { return name(self.kind()); },
          "What the cells stand for.")
      .def_property_readonly("cells", &Frontier::cells, "The number of cells.")
      .def_property_readonly(
          "directions",
          [](const Frontier& self) {
            std::vector<std::string_view> names;
            for (const Direction each : self.objectives().directions()) names.push_back(name(each));
            return names;
          },
          "The direction of each objective.");
}

void bind_candidate_queries(py::class_<Frontier>& type) {
  type.def("best", py::overload_cast<>(&Frontier::best, py::const_),
           "The best candidate: by mean, then coverage, then age. ValueError while there is none.")
      .def(
          "best_of",
          [](const Frontier& self, py::ssize_t i) { return self.best(index(i, "objective")); },
          py::arg("objective"),
          "The best candidate in an objective: by mean in its direction, then coverage, then age; "
          "None while\nnobody reports it.")
      .def(
          "mean",
          [](const Frontier& self, py::ssize_t i) { return self.mean(index(i, "candidate")); },
          py::arg("candidate"), "The candidate's mean over the instances that it covers.")
      .def(
          "total",
          [](const Frontier& self, py::ssize_t i) { return self.total(index(i, "candidate")); },
          py::arg("candidate"), "The exact sum of the candidate's scores, rounded once.")
      .def(
          "coverage",
          [](const Frontier& self, py::ssize_t i) { return self.coverage(index(i, "candidate")); },
          py::arg("candidate"), "The number of instances that the candidate has a score for.")
      .def(
          "covered",
          [](const Frontier& self, py::ssize_t i) {
            return self.scores(index(i, "candidate"))->columns();
          },
          py::arg("candidate"), "The instances that the candidate has a score for, ascending.")
      .def("scores", &scores_of, py::arg("candidate"),
           "The candidate's scores by ascending instance, in place and read-only; later scores do "
           "not show.")
      .def(
          "score",
          [](const Frontier& self, py::ssize_t i, py::ssize_t instance) {
            return self.score(index(i, "candidate"), index(instance, "instance"));
          },
          py::arg("candidate"), py::arg("instance"),
          "The candidate's score, None where it has none.");
}

void bind_objective_queries(py::class_<Frontier>& type) {
  type.def(
          "objective_mean",
          [](const Frontier& self, py::ssize_t i, py::ssize_t objective) {
            return self.objective_mean(index(i, "candidate"), index(objective, "objective"));
          },
          py::arg("candidate"), py::arg("objective"),
          "The candidate's mean over the instances that report the objective, None where none "
          "does.")
      .def(
          "objective_score",
          [](const Frontier& self, py::ssize_t i, py::ssize_t instance, py::ssize_t objective) {
            return self.objective_score(index(i, "candidate"), index(instance, "instance"),
                                        index(objective, "objective"));
          },
          py::arg("candidate"), py::arg("instance"), py::arg("objective"),
          "The candidate's score in an objective, None where it is not reported.");
}

void bind_cell_queries(py::class_<Frontier>& type) {
  type.def(
          "key",
          [](const Frontier& self, py::ssize_t cell) {
            const CellKey key = self.key(cell_index(self, cell));
            return Key(key.instance, key.objective);
          },
          py::arg("cell"),
          "What a cell stands for: (instance, None), (None, objective) or (instance, objective).")
      .def(
          "cell_best",
          [](const Frontier& self, py::ssize_t cell) {
            return self.cell_best(cell_index(self, cell));
          },
          py::arg("cell"), "The best score in a cell, None while there is none.")
      .def(
          "members",
          [](const Frontier& self, py::ssize_t cell) {
            return list_of(self.members(cell_index(self, cell)));
          },
          py::arg("cell"), "The candidates with the best score in a cell, ascending.")
      .def("fronts", &fronts, "Each cell that has a score, with its members.")
      .def("reduced_fronts", &reduced_fronts, "The fronts with survivors only.")
      .def(
          "survivors", &survivors,
          "The candidates that the reduction keeps, ascending: they cover every front, and none of "
          "them\n"
          "can be left out. Removal goes from the weakest mean up, the older first on equal means.")
      .def("weights", &weights_of, py::arg("rule") = "pareto", py::kw_only(), py::arg("k") = 5,
           kWeightsDoc)
      .def("misses", &Frontier::misses, py::arg("perfect") = 1.0,
           "For each instance the share of the survivors with a score on it that fall short of a "
           "perfect one;\n1 where nobody has a score.");
}

void bind_snapshots(py::class_<Frontier>& type) {
  type.def("snapshot", &snapshot_of,
           "The frontier as bytes, versioned and with a checksum, the same on every machine.")
      .def_static(
          "restore", &restored, py::arg("snapshot"),
          "The frontier that a snapshot was made from. SnapshotError where it is damaged or "
          "of another version.");
}

void bind_selection(py::module_& module) {
  module.def(
      "select",
      [](const Frontier& frontier, const std::string& rule, Rng& rng, double epsilon,
         std::uint32_t k, double best_floor, std::uint32_t batch) {
        return select(frontier, rule, rng, {epsilon, k, best_floor, batch});
      },
      py::arg("frontier"), py::arg("rule"), py::arg("rng"), py::kw_only(), py::arg("epsilon") = 0.1,
      py::arg("k") = 5, py::arg("best_floor") = 0.0, py::arg("batch") = 10, kSelectDoc);
  module.def(
      "distribution",
      [](const Frontier& frontier, const std::string& rule, double epsilon, std::uint32_t k,
         double best_floor, std::uint32_t batch) {
        return distribution_of(frontier, rule, {epsilon, k, best_floor, batch});
      },
      py::arg("frontier"), py::arg("rule"), py::kw_only(), py::arg("epsilon") = 0.1,
      py::arg("k") = 5, py::arg("best_floor") = 0.0, py::arg("batch") = 10, kDistributionDoc);
}

}  // namespace

void bind_frontier(py::module_& module) {
  bind_report(module);
  py::class_<ScoreView>(module, "_ScoreView", py::buffer_protocol(), py::is_final())
      .def_buffer(&look);
  py::class_<Frontier> type(module, "Frontier", kFrontierDoc, py::is_final());
  type.def(py::init([](std::uint32_t instances, const std::string& kind,
                       const std::vector<std::string>& names) {
             return Frontier(instances, frontier_kind(kind), directions(names));
           }),
           py::arg("instances"), py::arg("kind") = "instance", py::arg("directions") = py::tuple())
      .def("add", &add, py::arg("scores"), py::arg("instances") = py::none(),
           py::arg("objectives") = py::none(), kAddDoc)
      .def("extend", &extend, py::arg("candidate"), py::arg("scores"),
           py::arg("instances") = py::none(), py::arg("objectives") = py::none(), kExtendDoc);
  bind_shape(type);
  bind_candidate_queries(type);
  bind_objective_queries(type);
  bind_cell_queries(type);
  bind_snapshots(type);
  bind_selection(module);
}

}  // namespace gepa::bindings
