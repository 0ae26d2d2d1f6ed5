// SPDX-License-Identifier: Apache-2.0
#include "cli/workers.h"

#include <csignal>
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

void take_world_size(TrainOptions& options, bool open) {
  const std::optional<Rendezvous> where = rendezvous_from_environment();
  if (!where) return;
  const auto wanted = static_cast<size_t>(options.workers.workers);
  if (!(open && wanted == 1) && wanted != where->size)
    throw OptionError(
        fmt::format("the run has {} worker{} and WORLD_SIZE is {}; start as many processes, or unset RANK "
                    "and WORLD_SIZE",
                    wanted, wanted == 1 ? "" : "s", where->size));
  options.workers.workers = static_cast<int64_t>(where->size);
}

Workers::Workers(const TrainOptions& options, WorkerBackend backend, std::chrono::milliseconds timeout,
                 const std::function<void()>& look) {
  const auto wanted = static_cast<size_t>(options.workers.workers);
  if (const std::optional<Rendezvous> where = rendezvous_from_environment()) {
    here_ = where->here;
    on_firsts_machine_ = !where->file.empty();
    if (where->size == 1) return;
    require_worlds(backend);
    world_ = join_world(*where, timeout, backend, look);
  } else if (wanted > 1) {
    start_others(wanted, backend, timeout, look);
  }
}

void Workers::require_all_running() {
  for (size_t i = 0; i < others_.size(); ++i)
    if (const std::optional<int> code = others_[i]->ended())
      throw EnvironmentError(
          fmt::format("rank {} ended with exit code {} before all ranks had met; what it said stands above; start the "
                      "run again",
                      i + 1, *code));
}

void Workers::start_others(size_t workers, WorkerBackend backend, std::chrono::milliseconds timeout,
                           const std::function<void()>& look) {
  require_worlds(backend);
  here_ = workers;
  folder_.emplace("workers");
  const std::string store = folder_->path("store");
  const std::vector<std::string> own = own_command();
  for (size_t rank = 1; rank < workers; ++rank)
    others_.push_back(std::make_unique<Subprocess>(
        own, Subprocess::Errors::kPass,
        std::map<std::string, std::string>{
            {"RANK", std::to_string(rank)}, {"WORLD_SIZE", std::to_string(workers)}, {"SIGNSTEP_STORE", store}}));
  try {
    world_ = join_world({.size = workers, .file = store, .here = workers}, timeout, backend, [&] {
      require_all_running();
      look();
    });
  } catch (...) {
    for (const auto& other : others_) other->signal(SIGTERM);  // else they wait for this one
    throw;
  }
}

}  // namespace signstep::cli
