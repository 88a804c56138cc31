#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "bindings.hpp"
#include "gepa/acceptance.hpp"
#include "gepa/criteria.hpp"
#include "gepa/evidence.hpp"

namespace py = pybind11;

namespace gepa::bindings {
namespace {

constexpr auto kDecisionDoc = "What a rule makes of a child, and the numbers that say why.";

constexpr auto kAcceptDoc =
    "Judge a child by its parent's scores and its own on the same rows, in the same order.\n\n"
    "Args:\n"
    "    rule: \"strict_improvement\", the mean must rise by more than the margin;\n"
    "        \"improvement_or_equal\", by the margin at least;\n"
    "        \"paired\", the sign-flip permutation test of the differences, less the margin, must "
    "give p of at\n"
    "        most 1 - confidence;\n"
    "        \"sequential\", asks for more rows until the evidence decides: pass all rows so far "
    "again.\n"
    "    before: the parent's scores.\n"
    "    after: the child's.\n"
    "    margin: what the mean must rise by, finite and at least 0.\n"
    "    confidence: of \"paired\" and \"sequential\": a child that is no better is accepted with "
    "probability\n"
    "        1 - confidence at most.\n"
    "    power: of \"sequential\": a child with the win rate is rejected before the limit with "
    "probability\n"
    "        1 - power at most.\n"
    "    win_rate: of \"sequential\": the share of the rows that differ on which a child worth "
    "accepting beats\n"
    "        its parent, between 0.5 and 1.\n"
    "    limit: of \"sequential\": the number of rows at which a child that is still undecided is "
    "rejected.\n\n"
    "Raises:\n"
    "    ScoreError: the lists are empty, differ in length or hold a number that is not finite.\n"
    "    ValueError: unknown rule, or an option out of range.\n";

constexpr auto kMergeDoc =
    "Judge a merged child: its sum must reach the larger one of its parents' on the same rows.\n\n"
    "Args:\n"
    "    first: one parent's scores.\n"
    "    second: the other's.\n"
    "    child: the child's.\n\n"
    "Raises:\n"
    "    ScoreError: as for `accept`.\n";

constexpr auto kWeighDoc =
    "A decision on the primary score, seen in the light of the objectives on the same rows.\n\n"
    "Args:\n"
    "    decision: what `accept` said.\n"
    "    criterion: \"primary\", it stands; \"any_objective_improved\", accepted when an objective "
    "has improved;\n"
    "        \"primary_or_objective\", accepted when it stands so or when an objective has "
    "improved;\n"
    "        \"protected_objective_guard\", rejected when a protected objective fell too far or "
    "cannot be\n"
    "        compared, else it stands.\n"
    "    before: the parent's objective scores: for each row a value for each objective, None "
    "where it is not\n"
    "        reported.\n"
    "    after: the child's.\n"
    "    directions: \"maximize\" or \"minimize\" for each objective.\n"
    "    min_delta: an objective has improved when its mean rose by this at least, and at all.\n"
    "    tolerance: a protected objective may fall by this at most.\n"
    "    protected: the objectives that are protected.\n\n"
    "Raises:\n"
    "    ScoreError: rows or values are missing, or one is not finite.\n"
    "    ValueError: unknown criterion or direction, or an option out of range.\n";

constexpr auto kChooseDoc =
    "Which of several judged children to let in, by index.\n\n"
    "Args:\n"
    "    rule: \"all\" that are accepted, in order; \"best\", the one with the largest delta; "
    "\"top_k\", the k\n"
    "        with the largest, largest first. The earlier one comes first on ties.\n"
    "    decisions: one for each child.\n"
    "    k: for \"top_k\", at least 1.\n\n"
    "Raises:\n"
    "    ValueError: unknown rule, or k is 0.\n";

constexpr auto kSignFlipDoc =
    "The chance that the differences add up to as much when each one's sign is a fair coin.\n\n"
    "Exact for up to 16 differences that are not zero and for any number of one size; the normal "
    "form above.\n\n"
    "Raises:\n"
    "    ValueError: a difference is not finite.\n";

constexpr std::size_t kLong = 1024;

std::string number(double value) {
  return std::string(py::repr(py::float_(value)));
}

std::string repr(const Decision& decision) {
  std::string text = std::string("Decision(accepted=") + (decision.accepted ? "True" : "False") +
                     ", before_sum=" + number(decision.before_sum) +
                     ", after_sum=" + number(decision.after_sum) +
                     ", delta=" + number(decision.delta) + ", margin=" + number(decision.margin) +
                     ", rows=" + std::to_string(decision.rows) + ", rule='" + decision.rule + "'";
  if (decision.p) text += ", p=" + number(*decision.p);
  if (decision.evidence) text += ", evidence=" + number(*decision.evidence);
  if (decision.more_rows > 0) text += ", more_rows=" + std::to_string(decision.more_rows);
  if (decision.criterion != "primary") text += ", criterion='" + decision.criterion + "'";
  return text + ")";
}

Decision judge(const std::string& rule, const NumbersLike& before, const NumbersLike& after,
               const AcceptanceOptions& options) {
  const Doubles ours(before, "before");
  const Doubles theirs(after, "after");
  if (rule != "paired" && ours.span().size() < kLong) {
    return accept(rule, ours.span(), theirs.span(), options);
  }
  const py::gil_scoped_release unlocked;
  return accept(rule, ours.span(), theirs.span(), options);
}

double checked_sign_flip_p(const NumbersLike& differences) {
  const Doubles numbers(differences, "differences");
  for (const double difference : numbers.span()) {
    if (!std::isfinite(difference)) throw std::invalid_argument("differences must be finite");
  }
  return sign_flip_p(numbers.span());
}

void bind_decision(py::module_& module) {
  py::class_<Decision>(module, "Decision", kDecisionDoc, py::is_final())
      .def_readonly("accepted", &Decision::accepted, "Whether the child is accepted.")
      .def_readonly("before_sum", &Decision::before_sum, "The parent's exact sum, rounded once.")
      .def_readonly("after_sum", &Decision::after_sum, "The child's exact sum, rounded once.")
      .def_readonly("delta", &Decision::delta, "after_sum - before_sum.")
      .def_readonly("margin", &Decision::margin, "What the mean had to rise by.")
      .def_readonly("rows", &Decision::rows, "The number of rows compared.")
      .def_readonly("rule", &Decision::rule, "The rule that judged.")
      .def_property_readonly(
          "verdict", [](const Decision& self) { return name(self.verdict); },
          "\"accepted\", \"rejected\", or \"undecided\" while the rule asks for more rows.")
      .def_readonly("more_rows", &Decision::more_rows,
                    "How many more rows an undecided rule asks for; else 0.")
      .def_readonly("p", &Decision::p,
                    "The chance that a child which is no better does as well; None for rules that "
                    "do not ask.")
      .def_readonly("confidence", &Decision::confidence,
                    "The confidence that was asked for; None for rules that do not ask.")
      .def_readonly("evidence", &Decision::evidence,
                    "The likelihood ratio of \"sequential\"; None for other rules.")
      .def_readonly("criterion", &Decision::criterion, "What objectives had to do with it.")
      .def_readonly("objective_deltas", &Decision::objective_deltas,
                    "The rise of each objective's mean in its direction; None where it cannot be "
                    "compared.")
      .def("__repr__", &repr);
}

void bind_criteria(py::module_& module) {
  module.def(
      "weigh_objectives",
      [](const Decision& decision, const std::string& criterion, const MatrixLike& before,
         const MatrixLike& after, const std::vector<std::string>& names, double min_delta,
         double tolerance, const std::vector<std::uint32_t>& guarded) {
        const Matrix ours(before, names.size(), "before");
        const Matrix theirs(after, names.size(), "after");
        return weigh_objectives(decision, criterion, ours.scores(), theirs.scores(),
                                {directions(names), min_delta, tolerance, guarded});
      },
      py::arg("decision"), py::arg("criterion"), py::arg("before"), py::arg("after"),
      py::arg("directions"), py::kw_only(), py::arg("min_delta") = 0.05, py::arg("tolerance") = 0.1,
      py::arg("protected") = py::tuple(), kWeighDoc);
}

}  // namespace

void bind_acceptance(py::module_& module) {
  bind_decision(module);
  constexpr AcceptanceOptions defaults;
  module.def(
      "accept",
      [](const std::string& rule, const NumbersLike& before, const NumbersLike& after,
         double margin, double confidence, double power, double win_rate, std::size_t limit) {
        return judge(rule, before, after, {margin, confidence, power, win_rate, limit});
      },
      py::arg("rule"), py::arg("before"), py::arg("after"), py::kw_only(),
      py::arg("margin") = defaults.margin, py::arg("confidence") = defaults.confidence,
      py::arg("power") = defaults.power, py::arg("win_rate") = defaults.win_rate,
      py::arg("limit") = defaults.limit, kAcceptDoc);
  module.def(
      "accept_merge",
      [](const NumbersLike& first, const NumbersLike& second, const NumbersLike& child) {
        return accept_merge(Doubles(first, "first").span(), Doubles(second, "second").span(),
                            Doubles(child, "child").span());
      },
      py::arg("first"), py::arg("second"), py::arg("child"), kMergeDoc);
  module.def(
      "choose",
      [](const std::string& rule, const std::vector<const Decision*>& decisions, std::size_t k) {
        return choose(rule, decisions, k);
      },
      py::arg("rule"), py::arg("decisions"), py::kw_only(), py::arg("k") = 1, kChooseDoc);
  module.def("sign_flip_p", &checked_sign_flip_p, py::arg("differences"), kSignFlipDoc);
  bind_criteria(module);
}

}  // namespace gepa::bindings
