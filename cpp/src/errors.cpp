#include "gepa/errors.hpp"

namespace gepa {
namespace {

std::string message(const std::string& problem, std::optional<std::size_t> candidate,
                    std::optional<std::int64_t> row) {
  std::string where;
  if (candidate) where += "candidate " + std::to_string(*candidate);
  if (row) where += (where.empty() ? "row " : ", row ") + std::to_string(*row);
  return where.empty() ? problem : where + ": " + problem;
}

}  // namespace

ScoreError::ScoreError(const std::string& problem, std::optional<std::size_t> candidate,
                       std::optional<std::int64_t> row)
    : std::invalid_argument(message(problem, candidate, row)), candidate_(candidate), row_(row) {}

}  // namespace gepa
