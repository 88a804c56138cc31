#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings.hpp"
#include "gepa/errors.hpp"
#include "gepa/snapshot.hpp"

namespace py = pybind11;

namespace {

constexpr auto kScoreErrorDoc =
    "Scores that cannot be ranked: not finite, of the wrong number, for a row twice or for no row "
    "at all.\n\n"
    "Attributes:\n"
    "    candidate: the index that the refused candidate would have had; None outside of a "
    "frontier.\n"
    "    row: the row at fault; None when the scores as a whole are.\n";

constexpr auto kSnapshotErrorDoc = "Bytes that are no snapshot of this version, or were damaged.";

PYBIND11_CONSTINIT py::gil_safe_call_once_and_store<py::object> score_error_storage;

py::object make_score_error(const py::module_& module) {
  py::exception<gepa::ScoreError> type(module, "ScoreError", PyExc_ValueError);
  type.attr("__doc__") = kScoreErrorDoc;
  type.attr("candidate") = py::none();
  type.attr("row") = py::none();
  return type;
}

void raise_score_error(const gepa::ScoreError& error) {
  const py::object& type = score_error_storage.get_stored();
  const py::object raised = type(error.what());
  raised.attr("candidate") = error.candidate();
  raised.attr("row") = error.row();
  PyErr_SetObject(type.ptr(), raised.ptr());
}

void bind_score_error(const py::module_& module) {
  score_error_storage.call_once_and_store_result([&] { return make_score_error(module); });
  py::register_local_exception_translator([](std::exception_ptr pending) {
    try {
      if (pending) std::rethrow_exception(pending);
    } catch (const gepa::ScoreError& error) {
      raise_score_error(error);
    }
  });
}

void bind_snapshot_error(py::module_& module) {
  auto& type =
      py::register_local_exception<gepa::SnapshotError>(module, "SnapshotError", PyExc_ValueError);
  type.attr("__doc__") = kSnapshotErrorDoc;
}

}  // namespace

// Not declared safe without the global interpreter lock: a frontier, a lineage, a merger and a
// stream change when they are asked, and have no lock of their own. A free-threaded interpreter
// turns its lock back on when it imports this module.
PYBIND11_MODULE(_core, module) {
  module.doc() =
      "Selection and acceptance: the part of GEPA that is asked at each step, in C++.\n\n"
      "Knows scores and numbers, never text. Every result is a pure function of what was handed "
      "over.";
  bind_score_error(module);
  bind_snapshot_error(module);
  gepa::bindings::bind_rng(module);
  gepa::bindings::bind_frontier(module);
  gepa::bindings::bind_acceptance(module);
  gepa::bindings::bind_merge(module);
}
