#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "bindings.hpp"
#include "gepa/frontier.hpp"
#include "gepa/selection.hpp"

namespace py = pybind11;

namespace gepa::bindings {
namespace {

using Candidates = std::vector<std::uint32_t>;
using Fronts = std::vector<std::pair<std::uint32_t, Candidates>>;

constexpr auto kReportDoc = "What adding a candidate did to the cells of the frontier.";

constexpr auto kFrontierDoc =
    "The score matrix of a run and everything that is asked of it at each step.\n\n"
    "Candidates are numbered 0, 1, 2 … as they are added; none is ever removed. Higher is better, "
    "ties are\n"
    "exact, and no result depends on the order of a sum.\n\n"
    "Args:\n"
    "    instances: the number of rows that candidates are scored on, at least 1.\n"
    "    kind: what the cells stand for; \"instance\" alone for now.\n\n"
    "Raises:\n"
    "    ValueError: no instances, or an unknown kind.\n";

constexpr auto kAddDoc =
    "Add the next candidate.\n\n"
    "Args:\n"
    "    scores: a score for each instance; taken in place from a buffer of doubles.\n"
    "    instances: for partial coverage, the instances that the scores are for, in any order.\n\n"
    "Raises:\n"
    "    ScoreError: the scores cannot be ranked; nothing has changed then.\n"
    "    TypeError: something is not a number.\n";

constexpr auto kSelectDoc =
    "The parent that a rule selects.\n\n"
    "Args:\n"
    "    frontier: where to select from.\n"
    "    rule: \"pareto\", a survivor of the reduction in proportion to the cells that it holds, "
    "or\n"
    "        \"current_best\", the best candidate, which draws nothing.\n"
    "    rng: a stream of STREAM_SELECTION.\n"
    "    epsilon: for rules that explore, between 0 and 1.\n"
    "    k: for rules that keep the k best, at least 1.\n\n"
    "Raises:\n"
    "    ValueError: unknown rule, option out of range, or no candidate yet.\n";

Candidates list_of(std::span<const std::uint32_t> candidates) {
  return {candidates.begin(), candidates.end()};
}

AddReport add(Frontier& frontier, const NumbersLike& scores,
              const std::optional<IndicesLike>& instances) {
  const Doubles numbers(scores, "scores");
  if (!instances) return frontier.add(numbers.span());
  return frontier.add(numbers.span(), integers(*instances, "instances"));
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

Fronts::size_type size(const Frontier& frontier) {
  return frontier.size();
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> weights(const Frontier& frontier) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
  for (const Share& share : frontier.reduction().shares())
    all.emplace_back(share.candidate, share.cells);
  return all;
}

void bind_report(py::module_& module) {
  py::class_<AddReport>(module, "AddReport", kReportDoc, py::is_final())
      .def_readonly("candidate", &AddReport::candidate, "The index given to the candidate.")
      .def_readonly(
          "improved", &AddReport::improved,
          "The cells that it now holds alone, having beaten whoever held them; ascending.")
      .def_readonly("tied", &AddReport::tied, "The cells that it now shares; ascending.")
      .def("__repr__", [](const AddReport& report) {
        return "AddReport(candidate=" + std::to_string(report.candidate) +
               ", improved=" + std::string(py::repr(py::cast(report.improved))) +
               ", tied=" + std::string(py::repr(py::cast(report.tied))) + ")";
      });
}

void bind_candidate_queries(py::class_<Frontier>& type) {
  type.def("best", &Frontier::best,
           "The best candidate: by mean, then coverage, then age. ValueError while there is none.")
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
          "score",
          [](const Frontier& self, py::ssize_t i, py::ssize_t instance) {
            return self.score(index(i, "candidate"), index(instance, "instance"));
          },
          py::arg("candidate"), py::arg("instance"),
          "The candidate's score, None where it has none.");
}

void bind_cell_queries(py::class_<Frontier>& type) {
  type.def(
          "cell_best",
          [](const Frontier& self, py::ssize_t cell) {
            return self.cell_best(index(cell, "instance"));
          },
          py::arg("instance"), "The best score on an instance, None while there is none.")
      .def(
          "members",
          [](const Frontier& self, py::ssize_t cell) {
            return list_of(self.members(index(cell, "instance")));
          },
          py::arg("instance"), "The candidates with the best score on an instance, ascending.")
      .def("fronts", &fronts, "Each instance that has a score, with its members.")
      .def("reduced_fronts", &reduced_fronts, "The fronts with survivors only.")
      .def(
          "survivors", &survivors,
          "The candidates that the reduction keeps, ascending: they cover every front, and none of "
          "them\n"
          "can be left out. Removal goes from the weakest mean up, the older first on equal means.")
      .def("weights", &weights,
           "Each survivor with the number of fronts that it is on: its weight in a pareto draw.");
}

}  // namespace

void bind_frontier(py::module_& module) {
  bind_report(module);
  py::class_<Frontier> type(module, "Frontier", kFrontierDoc, py::is_final());
  type.def(py::init([](std::uint32_t instances, const std::string& kind) {
             return Frontier(instances, frontier_kind(kind));
           }),
           py::arg("instances"), py::arg("kind") = "instance")
      .def("add", &add, py::arg("scores"), py::arg("instances") = py::none(), kAddDoc)
      .def("__len__", &size)
      .def_property_readonly("instances", &Frontier::instances, "The number of instances.")
      .def_property_readonly(
          "kind", [](const Frontier& self) { return name(self.kind()); },
          "What the cells stand for.");
  bind_candidate_queries(type);
  bind_cell_queries(type);
  module.def(
      "select",
      [](const Frontier& frontier, const std::string& rule, Rng& rng, double epsilon,
         std::uint32_t k) {
        return select(frontier, rule, rng, {epsilon, k});
      },
      py::arg("frontier"), py::arg("rule"), py::arg("rng"), py::kw_only(), py::arg("epsilon") = 0.1,
      py::arg("k") = 5, kSelectDoc);
}

}  // namespace gepa::bindings
