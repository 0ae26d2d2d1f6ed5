// SPDX-License-Identifier: Apache-2.0
#include "cli/workers.h"

#include <fstream>
#include <iterator>

#include "cli/become.h"
#include "cli/world.h"
#include "signstep/base/error.h"

namespace signstep::cli {
namespace {

std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  std::vector<std::string> words;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = all.find('\0', begin);
    words.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  words.at(0) = own_program();
  return words;
}

}  // namespace

Workers::Workers(TrainOptions& options, WorkerBackend backend, std::chrono::milliseconds timeout) {
  const auto wanted = static_cast<size_t>(options.workers.workers);
  if (const std::optional<Rendezvous> where = rendezvous_from_environment()) {
    if (wanted != 1 && wanted != where->size)
      throw OptionError(
          fmt::format("the run has {} workers and WORLD_SIZE is {}; start as many processes, or unset RANK "
                      "and WORLD_SIZE",
                      wanted, where->size));
    options.workers.workers = static_cast<int64_t>(where->size);
    here_ = where->here;
    on_firsts_machine_ = !where->file.empty();
    if (where->size == 1) return;
    require_worlds(backend);
    world_ = join_world(*where, timeout, backend);
  } else if (wanted > 1) {
    start_others(wanted, backend, timeout);
  }
}

void Workers::start_others(size_t workers, WorkerBackend backend, std::chrono::milliseconds timeout) {
  require_worlds(backend);
  here_ = workers;
  folder_.emplace("workers");
  const std::string store = folder_->path("store");
  const std::vector<std::string> own = own_command();
  for (size_t rank = 1; rank < workers; ++rank) {
    std::vector<std::string> command = {"env", fmt::format("RANK={}", rank), fmt::format("WORLD_SIZE={}", workers),
                                        "SIGNSTEP_STORE=" + store};
    command.insert(command.end(), own.begin(), own.end());
    others_.push_back(std::make_unique<Subprocess>(command));
  }
  world_ = join_world({.size = workers, .file = store, .here = workers}, timeout, backend);
}

}  // namespace signstep::cli
