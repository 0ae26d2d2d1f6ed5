// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/catalog.h"

#include "signstep/base/error.h"
#include "signstep/base/option.h"

namespace signstep {
namespace {

const char kIdxAdvice[] = "its four IDX files, packed or not, go into one folder for --data";

// In the order of DatasetKind.
const std::vector<CatalogEntry>& entries() {
  static const std::vector<CatalogEntry> all = {
      {.name = "cifar10",
       .format = DatasetFormat::kCifar,
       .files = {{"data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25", true},
                 {"data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692", true},
                 {"data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421", true},
                 {"data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb", true},
                 {"data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d", true},
                 {"test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d", false}},
       .folders = {"cifar-10-batches-bin", "cifar10"},
       .advice = "unpack cifar-10-binary.tar.gz, the official binary version, and give its folder "
                 "cifar-10-batches-bin or the one above as --data"},
      {.name = "cifar100",
       .format = DatasetFormat::kCifar,
       .files = {{"train.bin", "", true}, {"test.bin", "", false}},
       .folders = {"cifar-100-binary", "cifar100"},
       .advice = "unpack cifar-100-binary.tar.gz, the official binary version, and give its folder cifar-100-binary "
                 "or the one above as --data"},
      {.name = "fashion-mnist",
       .format = DatasetFormat::kIdx,
       .files = {{"train-images-idx3-ubyte", "f4a8712d7a061bf5bd6d2ca38dc4d50a", true},
                 {"train-labels-idx1-ubyte", "9018921c3c673c538a1fc5bad174d6f9", true},
                 {"t10k-images-idx3-ubyte", "8181f5470baa50b63fa0f6fddb340f0a", false},
                 {"t10k-labels-idx1-ubyte", "15d484375f8d13e6eb1aabb0c3f46965", false}},
       .folders = {"fashion-mnist", "FashionMNIST/raw"},
       .advice = std::string("on Debian and Ubuntu: apt install dataset-fashion-mnist; elsewhere ") + kIdxAdvice},
      {.name = "mnist",
       .format = DatasetFormat::kIdx,
       .files = {{"train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb", true},
                 {"train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624", true},
                 {"t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea", false},
                 {"t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637", false}},
       .folders = {"mnist", "MNIST/raw"},
       .advice = kIdxAdvice},
  };
  return all;
}

}  // namespace

const CatalogEntry& catalog(DatasetKind kind) { return entries().at(static_cast<size_t>(kind)); }

const std::string& dataset_name(DatasetKind kind) { return catalog(kind).name; }

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const CatalogEntry& entry : entries()) all.push_back(entry.name);
    return all;
  }();
  return names;
}

DatasetKind parse_dataset(std::string_view name) {
  const std::vector<std::string>& names = dataset_names();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<DatasetKind>(i);
  }
  const std::string near = nearest_name(name, names);
  throw OptionError(fmt::format("unknown data set '{}'; wanted one of {}{}", name, fmt::join(names, ", "),
                                near.empty() ? "" : "; did you mean '" + near + "'?"));
}

}  // namespace signstep
