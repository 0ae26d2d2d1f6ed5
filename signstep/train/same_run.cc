// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/same_run.h"

#include <string>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/runs/run_record.h"
#include "signstep/wire/gather.h"

namespace signstep {
namespace {

// What may differ from machine to machine: where files lie that are compared by what they hold (rank 0's first weights
// are everyone's), and who reads them.
bool machines_own(const std::string& option) {
  return option == "data" || option == "init" || option == "loader_threads";
}

}  // namespace

void require_same_run(Communicator& world, const RunIdentity& run, bool resume) {
  TrainOptions options = recorded_options(run.options, "this run", *run.rules);
  nlohmann::ordered_json own;
  own["version of the program"] = this_program().version;
  own["commit of the program"] = this_program().commit;
  own["checksum of the images"] = run.data_sha256;
  own["resume"] = resume ? "true" : "false";
  const OptionList list = option_list(options);
  for (const Option& option : list.options())
    if (!machines_own(option.name)) own[option.name] = option.text();
  const std::vector<std::string> all = gathered_texts(world, own.dump());
  const auto first = nlohmann::ordered_json::parse(all[0]);
  for (size_t r = 1; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    const auto other = nlohmann::ordered_json::parse(all[r]);
    for (const auto& [name, value] : first.items()) {
      const auto here = value.get<std::string>(), there = other.value(name, std::string());
      if (there != here)
        throw EnvironmentError(
            fmt::format("{} is '{}' at rank {} and '{}' at rank 0; start all ranks alike", name, there, r, here));
    }
    throw EnvironmentError(fmt::format("rank {} has settings that rank 0 does not know; start all ranks alike", r));
  }
}

}  // namespace signstep
