#include "arguments.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "gepa/errors.hpp"

namespace py = pybind11;

namespace gepa::bindings {
namespace {

bool is_text(PyObject* object) {
  return PyUnicode_Check(object) || PyBytes_Check(object) || PyByteArray_Check(object);
}

/// A tuple, because converting an item may run Python code that changes a list under our hands.
py::tuple items_of(const py::object& source, const char* name) {
  if (!PySequence_Check(source.ptr()) || is_text(source.ptr())) {
    throw py::type_error(std::string(name) + " must be a sequence of numbers, not " +
                         Py_TYPE(source.ptr())->tp_name);
  }
  PyObject* const items = PySequence_Tuple(source.ptr());
  if (items == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::tuple>(items);
}

[[noreturn]] void refuse_item(const char* name, std::size_t at, py::handle item,
                              const char* wanted) {
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw py::error_already_set();
  PyErr_Clear();
  throw py::type_error(std::string(name) + "[" + std::to_string(at) + "] must be " + wanted +
                       ", not " + Py_TYPE(item.ptr())->tp_name);
}

double to_double(const char* name, std::size_t at, py::handle item) {
  const double value = PyFloat_AsDouble(item.ptr());
  if (value == -1.0 && PyErr_Occurred() != nullptr) refuse_item(name, at, item, "a number");
  return value;
}

std::int64_t to_integer(const char* name, std::size_t at, py::handle item) {
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(item.ptr()));
  if (!number) refuse_item(name, at, item, "an integer");
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow > 0) return std::numeric_limits<std::int64_t>::max();
  if (overflow < 0) return std::numeric_limits<std::int64_t>::min();
  return value;
}

bool is_row_of_doubles(const py::buffer_info& buffer) {
  return buffer.ndim == 1 && buffer.item_type_is_equivalent_to<double>() &&
         (buffer.shape[0] < 2 || buffer.strides[0] == py::ssize_t{sizeof(double)});
}

/// Of a table with no columns there is nothing to read.
bool is_table_of_doubles(const py::buffer_info& buffer, std::size_t columns) {
  return buffer.ndim == 2 && buffer.item_type_is_equivalent_to<double>() &&
         static_cast<std::size_t>(buffer.shape[1]) == columns &&
         buffer.strides[1] == py::ssize_t{sizeof(double)} &&
         buffer.strides[0] == buffer.shape[1] * py::ssize_t{sizeof(double)};
}

}  // namespace

Doubles::Doubles(const py::object& source, const char* name) {
  if (PyObject_CheckBuffer(source.ptr()) && !is_text(source.ptr())) {
    buffer_ = py::reinterpret_borrow<py::buffer>(source).request();
    if (is_row_of_doubles(buffer_)) {
      span_ = {static_cast<const double*>(buffer_.ptr), static_cast<std::size_t>(buffer_.size)};
      return;
    }
  }
  const py::tuple items = items_of(source, name);
  copy_.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    copy_.push_back(to_double(name, i, PyTuple_GET_ITEM(items.ptr(), static_cast<py::ssize_t>(i))));
  }
  span_ = copy_;
}

Matrix::Matrix(const py::object& source, std::size_t columns, const char* name) {
  if (PyObject_CheckBuffer(source.ptr()) && !is_text(source.ptr())) {
    buffer_ = py::reinterpret_borrow<py::buffer>(source).request();
    if (is_table_of_doubles(buffer_, columns)) {
      scores_.values = {static_cast<const double*>(buffer_.ptr),
                        static_cast<std::size_t>(buffer_.size)};
      return;
    }
    throw py::type_error(std::string(name) + " must be a contiguous buffer of doubles with " +
                         std::to_string(columns) + " columns, or a sequence of rows");
  }
  copy(source, columns, name);
  scores_ = {values_, reported_};
}

void Matrix::copy(const py::object& source, std::size_t columns, const char* name) {
  const py::tuple rows = items_of(source, name);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string at = std::string(name) + "[" + std::to_string(i) + "]";
    const py::tuple row = items_of(rows[i], at.c_str());
    if (row.size() != columns) {
      throw ScoreError(at + " must have " + std::to_string(columns) + " values, not " +
                           std::to_string(row.size()),
                       std::nullopt, static_cast<std::int64_t>(i));
    }
    for (std::size_t j = 0; j < columns; ++j) {
      const bool reported = !row[j].is_none();
      values_.push_back(reported ? to_double(at.c_str(), j, row[j]) : 0.0);
      reported_.push_back(reported ? 1 : 0);
    }
  }
}

std::vector<Direction> directions(const std::vector<std::string>& names) {
  std::vector<Direction> found;
  for (const std::string& name : names) found.push_back(direction(name));
  return found;
}

std::vector<std::int64_t> integers(const py::object& source, const char* name) {
  const py::tuple items = items_of(source, name);
  std::vector<std::int64_t> values;
  values.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    values.push_back(
        to_integer(name, i, PyTuple_GET_ITEM(items.ptr(), static_cast<py::ssize_t>(i))));
  }
  return values;
}

std::size_t index(py::ssize_t value, const char* what) {
  if (value >= 0) return static_cast<std::size_t>(value);
  throw std::out_of_range(std::string("there is no ") + what + " " + std::to_string(value));
}

}  // namespace gepa::bindings
