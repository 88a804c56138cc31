#pragma once

#include <pybind11/pybind11.h>

namespace gepa::bindings {

void bind_acceptance(pybind11::module_& module);
void bind_frontier(pybind11::module_& module);
void bind_merge(pybind11::module_& module);
void bind_rng(pybind11::module_& module);

}  // namespace gepa::bindings
