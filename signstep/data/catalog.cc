// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/catalog.h"

#include <algorithm>

#include "signstep/base/error.h"
#include "signstep/base/option.h"
#include "signstep/data/sets/cifar10.h"
#include "signstep/data/sets/cifar100.h"
#include "signstep/data/sets/fashion_mnist.h"
#include "signstep/data/sets/image_folder.h"
#include "signstep/data/sets/mnist.h"

namespace signstep {
namespace {

bool has_label_kind(const DatasetSpec& spec, const std::string& name) {
  return std::any_of(spec.labels.begin(), spec.labels.end(), [&](const LabelKind& kind) { return kind.name == name; });
}

}  // namespace

const std::vector<DatasetSpec>& datasets() {
  static const std::vector<DatasetSpec> all = {cifar10(), cifar100(), fashion_mnist(), mnist(), image_folder()};
  return all;
}

const DatasetSpec& find_dataset(std::string_view name) {
  for (const DatasetSpec& spec : datasets())
    if (spec.name == name) return spec;
  const std::vector<std::string> names = dataset_names();
  const std::string near = nearest_name(name, names);
  throw OptionError(fmt::format("unknown data set '{}'; wanted one of {}{}", name, fmt::join(names, ", "),
                                near.empty() ? "" : "; did you mean '" + near + "'?"));
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const DatasetSpec& spec : datasets()) names.push_back(spec.name);
  return names;
}

std::vector<std::string> label_names() {
  std::vector<std::string> names;
  for (const DatasetSpec& spec : datasets())
    for (const LabelKind& kind : spec.labels)
      if (std::find(names.begin(), names.end(), kind.name) == names.end()) names.push_back(kind.name);
  return names;
}

size_t label_kind(const DatasetSpec& spec, const std::string& name) {
  for (size_t i = 0; i < spec.labels.size(); ++i)
    if (spec.labels[i].name == name) return i;
  std::vector<std::string> having;
  for (const DatasetSpec& other : datasets())
    if (has_label_kind(other, name)) having.push_back(other.name);
  throw OptionError(fmt::format("data set {} has no {} labels; wanted {}, or {} labels", spec.name, name,
                                fmt::join(having, " or "), spec.labels.front().name));
}

}  // namespace signstep
