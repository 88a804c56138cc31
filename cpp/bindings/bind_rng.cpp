#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>

#include "arguments.hpp"
#include "bindings.hpp"
#include "gepa/minibatch.hpp"
#include "gepa/philox.hpp"
#include "gepa/rng.hpp"

namespace py = pybind11;

namespace gepa::bindings {
namespace {

constexpr auto kRngDoc =
    "Random numbers as a pure function of (seed, stream, index) and of how many were drawn "
    "before.\n\n"
    "Philox 4x32-10: no hidden state, so a stream can be opened anywhere and none shifts "
    "another.\n\n"
    "Args:\n"
    "    seed: the run's seed, 64 bits.\n"
    "    stream: what the draw is for, one of the STREAM_ constants.\n"
    "    index: which one of its kind, for instance the iteration.\n";

constexpr auto kBelowDoc =
    "An integer in [0, n), every one equally likely.\n\nRaises:\n    ValueError: n is 0.\n";

constexpr auto kChoiceDoc =
    "An index drawn in proportion to its weight; never one of weight zero.\n\n"
    "Raises:\n"
    "    ValueError: a weight is negative or not finite, or the sum is zero or not finite.\n";

constexpr auto kBlockDoc =
    "One block of Philox 4x32-10, as published: four words out of a counter of four and a key of "
    "two.";

constexpr auto kMinibatchDoc =
    "Minibatch number `index`: a pure function of its arguments.\n\n"
    "An epoch is ceil(rows / size) batches and takes every row in a shuffled order of its own. "
    "Where rows\n"
    "are not a multiple of size, the epoch's last batch has the rows left over and is filled with "
    "the first\n"
    "ones of the same epoch. So each batch has `size` distinct rows and each epoch covers every "
    "row. Where\n"
    "size is rows or more, each batch is all rows, shuffled.\n\n"
    "Raises:\n"
    "    ValueError: rows or size is 0.\n";

constexpr auto kOrderedDoc =
    "Minibatch number `index` with the rows in their own order in every epoch.\n\n"
    "Raises:\n"
    "    ValueError: rows or size is 0.\n";

constexpr auto kStratifiedDoc =
    "Minibatch number `index` with the rows of each stratum spread evenly over each epoch.\n\n"
    "So a batch has of each stratum about its share of all rows. Otherwise as `minibatch`.\n\n"
    "Args:\n"
    "    seed: the run's seed.\n"
    "    index: the number of the minibatch.\n"
    "    strata: for each row the number of its stratum, any integer.\n"
    "    size: the rows of a minibatch.\n\n"
    "Raises:\n"
    "    ValueError: there are no rows, or size is 0.\n";

constexpr auto kFailureWeightedDoc =
    "Minibatch number `index` with rows that are still missed drawn more often.\n\n"
    "Drawn without replacement in proportion to floor + (1 - floor) * miss.\n\n"
    "Args:\n"
    "    seed: the run's seed.\n"
    "    index: the number of the minibatch.\n"
    "    misses: for each row how much it is missed, from 0 to 1, as `Frontier.misses` gives it.\n"
    "    size: the rows of a minibatch.\n"
    "    floor: the weight of a row that is not missed at all, above 0 and at most 1.\n\n"
    "Raises:\n"
    "    ValueError: there are no rows, size is 0, or a miss or the floor is out of range.\n";

py::tuple block(const PhiloxCounter& counter, const PhiloxKey& key) {
  const PhiloxCounter words = philox4x32(counter, key);
  return py::make_tuple(words[0], words[1], words[2], words[3]);
}

void bind_streams(py::module_& module) {
  const auto number = [](Stream stream) { return static_cast<std::uint32_t>(stream); };
  module.attr("STREAM_SELECTION") = number(Stream::selection);
  module.attr("STREAM_MINIBATCH") = number(Stream::minibatch);
  module.attr("STREAM_PROPOSAL") = number(Stream::proposal);
  module.attr("STREAM_TIES") = number(Stream::ties);
  module.attr("STREAM_MERGE") = number(Stream::merge);
}

void bind_minibatches(py::module_& module) {
  module.def("ordered_minibatch", &ordered_minibatch, py::arg("index"), py::arg("rows"),
             py::arg("size"), kOrderedDoc);
  module.def(
      "stratified_minibatch",
      [](std::uint64_t seed, std::uint64_t at, const IndicesLike& strata, std::uint32_t size) {
        return stratified_minibatch(seed, at, integers(strata, "strata"), size);
      },
      py::arg("seed"), py::arg("index"), py::arg("strata"), py::arg("size"), kStratifiedDoc);
  module.def(
      "failure_weighted_minibatch",
      [](std::uint64_t seed, std::uint64_t at, const NumbersLike& misses, std::uint32_t size,
         double floor) {
        return failure_weighted_minibatch(seed, at, Doubles(misses, "misses").span(), size, floor);
      },
      py::arg("seed"), py::arg("index"), py::arg("misses"), py::arg("size"), py::kw_only(),
      py::arg("floor") = 0.1, kFailureWeightedDoc);
}

}  // namespace

void bind_rng(py::module_& module) {
  bind_streams(module);
  py::class_<Rng>(module, "Rng", kRngDoc, py::is_final())
      .def(py::init<std::uint64_t, std::uint32_t, std::uint64_t>(), py::arg("seed"),
           py::arg("stream"), py::arg("index"))
      .def("next_u32", &Rng::next_u32, "The next word of 32 bits.")
      .def("next_u64", &Rng::next_u64, "The next two words, the earlier one in the low half.")
      .def("uniform", &Rng::uniform, "A float in [0, 1), a multiple of 2**-53.")
      .def("below", &Rng::below, py::arg("n"), kBelowDoc)
      .def("shuffle", &Rng::shuffle, py::arg("n"), "A permutation of range(n).")
      .def(
          "choice",
          [](Rng& rng, const NumbersLike& weights) {
            return rng.choice(Doubles(weights, "weights").span());
          },
          py::arg("weights"), kChoiceDoc)
      .def_static("block", &block, py::arg("counter"), py::arg("key"), kBlockDoc);
  module.def("minibatch", &minibatch, py::arg("seed"), py::arg("index"), py::arg("rows"),
             py::arg("size"), kMinibatchDoc);
  bind_minibatches(module);
}

}  // namespace gepa::bindings
