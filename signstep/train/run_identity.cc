// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/run_identity.h"

#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/io/config.h"

namespace signstep {

TrainOptions recorded_options(const nlohmann::json& options, const std::string& source, const RuleTable& rules) {
  TrainOptions recorded;
  recorded.optimizer = OptimizerOptions(rules);
  OptionList list = option_list(recorded);
  try {
    from_recorded_json(options, list);
    return resolved(recorded);
  } catch (const OptionError& e) {
    throw CheckpointError(fmt::format(
        "{} has settings that this program does not know: {}; use the version that wrote it", source, e.what()));
  }
}

void require_same_identity(const RunIdentity& recorded, const RunIdentity& now, const std::string& source) {
  TrainOptions theirs = recorded_options(recorded.options, source, *now.rules),
               ours = recorded_options(now.options, "config.toml", *now.rules);
  const OptionList their_list = option_list(theirs), our_list = option_list(ours);
  for (const Option& option : our_list.options()) {
    const std::string seen = their_list.find(option.name)->text(), wanted = option.text();
    if (seen == wanted || option.is(Role::kResumable)) continue;
    if (option.is(Role::kExtendable) && can_be_longer(ours) && parse_integer(seen) < parse_integer(wanted)) continue;
    throw CheckpointError(
        fmt::format("{} is of a run with {} '{}', and config.toml says '{}'; put back the file that "
                    "was changed or exchanged, or start another run",
                    source, option.name, seen, wanted));
  }
  if (!recorded.data_sha256.empty() && recorded.data_sha256 != now.data_sha256) {
    throw CheckpointError(
        fmt::format("{} is of a run on images with checksum {}, and the images here have {}; name the "
                    "same data set with --data",
                    source, recorded.data_sha256.substr(0, 12), now.data_sha256.substr(0, 12)));
  }
}

}  // namespace signstep
