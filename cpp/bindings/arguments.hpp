#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gepa/objectives.hpp"

namespace gepa::bindings {

/// What Python may hand over as scores; only the name in signatures differs from `object`.
class NumbersLike : public pybind11::object {
  PYBIND11_OBJECT_DEFAULT(NumbersLike, object, accept)
  static bool accept(PyObject* object) { return object != nullptr; }
};

/// What Python may hand over as row numbers.
class IndicesLike : public pybind11::object {
  PYBIND11_OBJECT_DEFAULT(IndicesLike, object, accept)
  static bool accept(PyObject* object) { return object != nullptr; }
};

/// What Python may hand over as objective scores.
class MatrixLike : public pybind11::object {
  PYBIND11_OBJECT_DEFAULT(MatrixLike, object, accept)
  static bool accept(PyObject* object) { return object != nullptr; }
};

/// A sequence of numbers as doubles: in place for a contiguous buffer of doubles, else a copy.
class Doubles {
 public:
  Doubles(const pybind11::object& source, const char* name);

  [[nodiscard]] std::span<const double> span() const noexcept { return span_; }

 private:
  pybind11::buffer_info buffer_;
  std::vector<double> copy_;
  std::span<const double> span_;
};

/// Rows of objective scores, None for what is not reported: in place for a contiguous buffer of
/// doubles in two dimensions, else a copy.
class Matrix {
 public:
  Matrix(const pybind11::object& source, std::size_t columns, const char* name);

  [[nodiscard]] const ObjectiveScores& scores() const noexcept { return scores_; }

 private:
  void copy(const pybind11::object& source, std::size_t columns, const char* name);

  pybind11::buffer_info buffer_;
  std::vector<double> values_;
  std::vector<std::uint8_t> reported_;
  ObjectiveScores scores_;
};

/// A sequence of integers; what does not fit is clamped, which is out of range as well.
[[nodiscard]] std::vector<std::int64_t> integers(const pybind11::object& source, const char* name);

/// The directions of objectives by their names. Throws std::invalid_argument.
[[nodiscard]] std::vector<Direction> directions(const std::vector<std::string>& names);

/// An index that Python may hand over as any integer; a negative one is out of range, never from
/// the end.
[[nodiscard]] std::size_t index(pybind11::ssize_t value, const char* what);

}  // namespace gepa::bindings

namespace pybind11::detail {

template <>
struct handle_type_name<gepa::bindings::NumbersLike> {
  static constexpr auto name =
      const_name("collections.abc.Sequence[float] | collections.abc.Buffer");
};

template <>
struct handle_type_name<gepa::bindings::MatrixLike> {
  static constexpr auto name = const_name(
      "collections.abc.Sequence[collections.abc.Sequence[float | None]] | collections.abc.Buffer");
};

template <>
struct handle_type_name<gepa::bindings::IndicesLike> {
  static constexpr auto name = const_name("collections.abc.Sequence[int]");
};

}  // namespace pybind11::detail
