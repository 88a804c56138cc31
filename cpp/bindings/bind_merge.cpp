#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "bindings.hpp"
#include "gepa/lineage.hpp"
#include "gepa/merge.hpp"

namespace py = pybind11;

namespace gepa::bindings {
namespace {

using Candidates = std::vector<std::uint32_t>;

constexpr auto kLineageDoc =
    "Who came from whom, and which text stands in which component.\n\n"
    "Candidates are numbered as in the `Frontier`; texts are known by integers, alike for alike "
    "texts.\n";

constexpr auto kAddDoc =
    "Add the next candidate and give its index.\n\n"
    "Args:\n"
    "    parents: the candidates that it came from; none for a seed.\n"
    "    texts: the number of the text in each component; as many for every candidate.\n\n"
    "Raises:\n"
    "    ValueError: a parent that is not there yet, no components, or another number of them.\n";

constexpr auto kMergeDoc =
    "A child proposed out of two candidates and an ancestor that they share.";

constexpr auto kMergerDoc = "Proposes merges, none of them twice.";

constexpr auto kProposeDoc =
    "Two survivors that complement each other, merged; None when no pair that was looked at "
    "fits.\n\n"
    "Neither is an ancestor of the other; they share an ancestor that is no better than either; in "
    "some\n"
    "component exactly one of them still has its text. Where both have one text the child has it, "
    "where one\n"
    "has the ancestor's it has the other's, and where all differ that of the owner with the higher "
    "mean.\n\n"
    "Args:\n"
    "    frontier: with the scores.\n"
    "    lineage: of the same candidates.\n"
    "    rng: a stream of STREAM_MERGE.\n"
    "    tries: how many pairs to look at.\n"
    "    overlap: how many instances both must have a score on.\n\n"
    "Raises:\n"
    "    ValueError: frontier and lineage differ in size.\n";

constexpr auto kCheckRowsDoc =
    "Distinct instances to check a merged child on, of those that both parents have a score on.\n\n"
    "A third each of those where the first is better, where the second is, and where they tie, the "
    "rest\n"
    "from what is left; all of them where they are no more than size.\n\n"
    "Args:\n"
    "    frontier: with the scores.\n"
    "    first: one parent.\n"
    "    second: the other.\n"
    "    rng: a stream of STREAM_MERGE.\n"
    "    size: how many, at least 1.\n\n"
    "Raises:\n"
    "    IndexError: there is no such candidate.\n"
    "    ValueError: size is 0.\n";

template <typename Number>
std::vector<Number> list_of(std::span<const Number> numbers) {
  return {numbers.begin(), numbers.end()};
}

std::string repr(const Merge& merge) {
  return "Merge(first=" + std::to_string(merge.first) + ", second=" + std::to_string(merge.second) +
         ", ancestor=" + std::to_string(merge.ancestor) +
         ", texts=" + std::string(py::repr(py::cast(merge.texts))) +
         ", sources=" + std::string(py::repr(py::cast(merge.sources))) + ")";
}

void bind_lineage(py::module_& module) {
  py::class_<Lineage>(module, "Lineage", kLineageDoc, py::is_final())
      .def(py::init<>())
      .def("__len__", &Lineage::size)
      .def(
          "add",
          [](Lineage& self, const IndicesLike& parents, const IndicesLike& texts) {
            return self.add(integers(parents, "parents"), integers(texts, "texts"));
          },
          py::arg("parents"), py::arg("texts"), kAddDoc)
      .def(
          "parents",
          [](const Lineage& self, py::ssize_t candidate) {
            return list_of(self.parents(index(candidate, "candidate")));
          },
          py::arg("candidate"), "The candidate's parents, as they were given.")
      .def(
          "texts",
          [](const Lineage& self, py::ssize_t candidate) {
            return list_of(self.texts(index(candidate, "candidate")));
          },
          py::arg("candidate"), "The number of the candidate's text in each component.")
      .def(
          "ancestors",
          [](const Lineage& self, py::ssize_t candidate) {
            return self.ancestors(index(candidate, "candidate"));
          },
          py::arg("candidate"), "All ancestors of the candidate, ascending.");
}

void bind_merger(py::module_& module) {
  py::class_<Merge>(module, "Merge", kMergeDoc, py::is_final())
      .def_readonly("first", &Merge::first, "The older parent.")
      .def_readonly("second", &Merge::second, "The younger parent.")
      .def_readonly("ancestor", &Merge::ancestor, "The ancestor that they share.")
      .def_readonly("texts", &Merge::texts, "The number of the child's text in each component.")
      .def_readonly("sources", &Merge::sources, "The parent that each component's text is from.")
      .def("__repr__", &repr);
  py::class_<Merger>(module, "Merger", kMergerDoc, py::is_final())
      .def(py::init<>())
      .def(
          "propose",
          [](Merger& self, const Frontier& frontier, const Lineage& lineage, Rng& rng,
             std::uint32_t tries, std::uint32_t overlap) {
            return self.propose(frontier, lineage, rng, {tries, overlap});
          },
          py::arg("frontier"), py::arg("lineage"), py::arg("rng"), py::kw_only(),
          py::arg("tries") = 10, py::arg("overlap") = 5, kProposeDoc);
}

}  // namespace

void bind_merge(py::module_& module) {
  bind_lineage(module);
  bind_merger(module);
  module.def(
      "check_rows",
      [](const Frontier& frontier, py::ssize_t first, py::ssize_t second, Rng& rng,
         std::uint32_t size) {
        return check_rows(frontier, index(first, "candidate"), index(second, "candidate"), size,
                          rng);
      },
      py::arg("frontier"), py::arg("first"), py::arg("second"), py::arg("rng"), py::kw_only(),
      py::arg("size") = 5, kCheckRowsDoc);
}

}  // namespace gepa::bindings
