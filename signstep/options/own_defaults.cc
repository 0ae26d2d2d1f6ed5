// SPDX-License-Identifier: Apache-2.0
#include "signstep/options/own_defaults.h"

#include "signstep/base/error.h"

namespace signstep {
namespace {

// Whether auto, and all else as it is, comes to the option's present value.
bool is_own_default(const TrainOptions& options, const std::string& name, const std::string& value) {
  TrainOptions probe = options;
  try {
    option_list(probe).set(name, "auto");
    probe = resolved(probe);
  } catch (const OptionError&) {
    return false;
  }
  return option_list(probe).find(name)->text() == value;
}

}  // namespace

CarriedOver forget_own_defaults(TrainOptions& options) {
  CarriedOver out;
  TrainOptions defaults(options);
  defaults.optimizer = OptimizerOptions(options.optimizer.rules());
  defaults.dither = {};
  defaults.switching = {};
  const OptionList from = option_list(defaults);
  OptionList list = option_list(options);
  for (const Option& option : list.options()) {
    const std::string value = option.text();
    if (from.find(option.name)->text() != "auto" || value == "auto" || !option.open.empty()) continue;
    (is_own_default(options, option.name, value) ? out.reset : out.kept).push_back(option.name);
  }
  for (const std::string& name : out.reset) list.set(name, "auto");
  return out;
}

void forget_method(TrainOptions& options) {
  OptimizerOptions fresh(options.optimizer.rules());
  fresh.set("optimizer", options.optimizer.rule().name);
  options.optimizer = fresh;
  options.dither = {};
  options.switching = {};
}

}  // namespace signstep
