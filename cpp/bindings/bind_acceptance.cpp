#include <pybind11/pybind11.h>

#include <string>

#include "arguments.hpp"
#include "bindings.hpp"
#include "gepa/acceptance.hpp"

namespace py = pybind11;

namespace gepa::bindings {
namespace {

constexpr auto kDecisionDoc = "Whether a child is accepted, and the numbers that say why.";

constexpr auto kAcceptDoc =
    "Judge a child by its parent's scores and its own on the same rows, in the same order.\n\n"
    "Args:\n"
    "    rule: \"strict_improvement\", the mean must rise by more than the margin, or\n"
    "        \"improvement_or_equal\", by the margin at least.\n"
    "    before: the parent's scores.\n"
    "    after: the child's.\n"
    "    margin: what the mean must rise by, finite and at least 0.\n\n"
    "Raises:\n"
    "    ScoreError: the lists are empty, differ in length or hold a number that is not finite.\n"
    "    ValueError: unknown rule, or a margin out of range.\n";

std::string repr(const Decision& decision) {
  const auto number = [](double value) { return std::string(py::repr(py::float_(value))); };
  return std::string("Decision(accepted=") + (decision.accepted ? "True" : "False") +
         ", before_sum=" + number(decision.before_sum) +
         ", after_sum=" + number(decision.after_sum) + ", delta=" + number(decision.delta) +
         ", margin=" + number(decision.margin) + ", rows=" + std::to_string(decision.rows) +
         ", rule='" + decision.rule + "')";
}

}  // namespace

void bind_acceptance(py::module_& module) {
  py::class_<Decision>(module, "Decision", kDecisionDoc, py::is_final())
      .def_readonly("accepted", &Decision::accepted, "Whether the child is accepted.")
      .def_readonly("before_sum", &Decision::before_sum, "The parent's exact sum, rounded once.")
      .def_readonly("after_sum", &Decision::after_sum, "The child's exact sum, rounded once.")
      .def_readonly("delta", &Decision::delta, "after_sum - before_sum.")
      .def_readonly("margin", &Decision::margin, "What the mean had to rise by.")
      .def_readonly("rows", &Decision::rows, "The number of rows compared.")
      .def_readonly("rule", &Decision::rule, "The rule that judged.")
      .def("__repr__", &repr);
  module.def(
      "accept",
      [](const std::string& rule, const NumbersLike& before, const NumbersLike& after,
         double margin) {
        return accept(rule, Doubles(before, "before").span(), Doubles(after, "after").span(),
                      margin);
      },
      py::arg("rule"), py::arg("before"), py::arg("after"), py::kw_only(), py::arg("margin") = 0.0,
      kAcceptDoc);
}

}  // namespace gepa::bindings
