// SPDX-License-Identifier: Apache-2.0
#include "signstep/nn/engine_table.h"

#include <algorithm>

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"

namespace signstep {
namespace {

const EngineRecord* find(const EngineTable& engines, const std::string& name) {
  const auto at = std::find_if(engines.begin(), engines.end(), [&](const EngineRecord& e) { return e.name == name; });
  return at == engines.end() ? nullptr : &*at;
}

// The engine of that name, or what is wrong with it and what to do.
const EngineRecord& named(const EngineTable& engines, const EngineOptions& o, const Network& network, bool recorded) {
  require_engine(engines, o);
  const EngineRecord& engine = *find(engines, o.name);
  const std::string obstacle = engine.obstacle(o, network);
  if (obstacle.empty()) return engine;
  std::string advice = "choose other settings";
  for (const EngineRecord& other : engines)
    if (other.obstacle(o, network).empty()) advice = "use --engine " + other.name;
  if (recorded) advice = "resume the run on a machine that has it";
  throw OptionError(fmt::format("engine is {}, and {}; {}", o.name, obstacle, advice));
}

}  // namespace

void require_engine(const EngineTable& engines, const EngineOptions& options) {
  if (options.name == "auto" || find(engines, options.name) != nullptr) return;
  std::vector<std::string> names = {"auto"};
  for (const EngineRecord& e : engines) names.push_back(e.name);
  const std::string near = nearest_name(options.name, names);
  throw OptionError(fmt::format("engine is \"{}\"; wanted one of {}, which are what this program was built with{}",
                                options.name, fmt::join(names, ", "),
                                near.empty() ? "" : "; did you mean " + near + "?"));
}

EngineChoice choose_engine(const EngineTable& engines, EngineOptions o, const Network& network, bool recorded) {
  EngineChoice choice;
  if (o.device == Device::kAuto) {
    const bool seen = std::any_of(engines.begin(), engines.end(), [&](const EngineRecord& e) {
      return (o.name == "auto" || o.name == e.name) && e.sees_cuda();
    });
    o.device = seen ? Device::kCuda : Device::kCpu;
    if (seen) choice.reason = "there is a CUDA device";
  }
  if (o.name == "auto") {
    std::vector<std::string> obstacles;
    for (const EngineRecord& engine : engines) {
      const std::string obstacle = engine.obstacle(o, network);
      if (obstacle.empty()) {
        choice.engine = engine;
        break;
      }
      if (choice.reason.empty()) choice.reason = obstacle;
      obstacles.push_back(fmt::format("not {}, because {}", engine.name, obstacle));
    }
    if (choice.engine.name.empty())
      throw OptionError(fmt::format("no engine of this program can compute it: {}", fmt::join(obstacles, "; ")));
    o.name = choice.engine.name;
  } else {
    choice.engine = named(engines, o, network, recorded);
  }
  o.precision = choice.engine.precision(o, network);
  if (o.threads == 0) o.threads = cpu_features().threads;
  choice.options = o;
  return choice;
}

std::string available_engines(const EngineTable& engines, const Network& network) {
  std::vector<std::string> can, cannot;
  for (const EngineRecord& e : engines) {
    const std::string obstacle = e.obstacle({}, network);
    if (obstacle.empty()) can.push_back(e.name);
    if (!obstacle.empty()) cannot.push_back(fmt::format("not {}, because {}", e.name, obstacle));
  }
  const std::string have = can.empty() ? "none" : fmt::format("{}", fmt::join(can, ", "));
  return cannot.empty() ? have : fmt::format("{}; {}", have, fmt::join(cannot, "; "));
}

}  // namespace signstep
