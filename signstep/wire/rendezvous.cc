// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/rendezvous.h"

#include <cstdlib>

#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/kernels/majority_vote.h"

namespace signstep {
namespace {

constexpr const char* kAdvice = "start every rank by torchrun, or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0')
    throw OptionError(
        fmt::format("the environment variable {} is not set, though others of a run with several ranks "
                    "are; {}",
                    name, kAdvice));
  return value;
}

uint64_t number(const char* name, uint64_t least, uint64_t most) {
  const std::string text = variable(name);
  const std::optional<int64_t> value = parse_integer(text);
  if (!value || *value < static_cast<int64_t>(least) || *value > static_cast<int64_t>(most))
    throw OptionError(
        fmt::format("the environment variable {} is '{}'; wanted {} to {}; {}", name, text, least, most, kAdvice));
  return static_cast<uint64_t>(*value);
}

bool is_set(const char* name) { return std::getenv(name) != nullptr; }

}  // namespace

std::optional<Rendezvous> rendezvous_from_environment() {
  if (!is_set("RANK") && !is_set("WORLD_SIZE")) return std::nullopt;
  Rendezvous r;
  r.size = number("WORLD_SIZE", 1, kMostWorkers);
  r.rank = number("RANK", 0, r.size - 1);
  r.here = is_set("LOCAL_WORLD_SIZE") ? number("LOCAL_WORLD_SIZE", 1, r.size) : r.size;
  r.local_rank = is_set("LOCAL_RANK") ? number("LOCAL_RANK", 0, r.here - 1) : r.rank % r.here;
  if (is_set("SIGNSTEP_STORE")) {
    r.file = variable("SIGNSTEP_STORE");
    return r;
  }
  r.address = variable("MASTER_ADDR");
  r.port = static_cast<uint16_t>(number("MASTER_PORT", 1, UINT16_MAX));
  // The names and the key are torch.distributed's (rendezvous.py), so that agent and ranks mean the same store.
  const char* agent = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
  r.store_is_there = agent != nullptr && std::string(agent) == "True";
  if (r.store_is_there)
    r.prefix = fmt::format("/worker/attempt_{}", number("TORCHELASTIC_RESTART_COUNT", 0, INT32_MAX));
  return r;
}

}  // namespace signstep
