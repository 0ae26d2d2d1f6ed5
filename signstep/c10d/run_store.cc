// SPDX-License-Identifier: Apache-2.0
#include "signstep/c10d/run_store.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "signstep/base/error.h"
#include "signstep/base/text.h"

namespace signstep {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPoll{10};
constexpr milliseconds kGrace{2000};  // for the other ranks to say that they have stopped too

std::string key(const char* what, size_t rank) { return fmt::format("signstep/{}/{}", what, rank); }

Absence unheard(size_t ranks) {
  Absence absence{.ranks = std::vector<size_t>(ranks), .store_failed = true};
  std::iota(absence.ranks.begin(), absence.ranks.end(), size_t{0});
  return absence;
}

// The ranks without such a key when all have one, or until has passed.
Absence absent(c10d::Store& store, const char* what, size_t ranks, milliseconds until) {
  Absence absence{.ranks = unheard(ranks).ranks};
  const auto deadline = steady_clock::now() + until;
  for (;;) {
    try {
      std::erase_if(absence.ranks, [&](size_t r) { return store.check({key(what, r)}); });
    } catch (const std::exception&) {
      absence.store_failed = true;
      return absence;
    }
    if (absence.ranks.empty() || steady_clock::now() >= deadline) return absence;
    std::this_thread::sleep_for(kPoll);
  }
}

// What work gives, or nothing where it has given nothing by then: it goes on on a thread that is left behind, because
// c10d waits for a store's keeper that is frozen, and not dead, without an end. Throws what work and look throw; look
// is called meanwhile.
template <class Result>
std::optional<Result> answer_of(std::function<Result()> work, milliseconds until,
                                const std::function<void()>& look = {}) {
  std::promise<Result> promise;
  std::future<Result> answer = promise.get_future();
  std::thread([work = std::move(work), promise = std::move(promise)]() mutable {
    try {
      promise.set_value(work());
    } catch (const std::exception&) {
      promise.set_exception(std::current_exception());
    }
  }).detach();
  const auto deadline = steady_clock::now() + until + kGrace;
  while (answer.wait_for(kPoll) != std::future_status::ready) {
    if (steady_clock::now() >= deadline) return std::nullopt;
    if (look) look();
  }
  return answer.get();
}

// absent() after before(store).
Absence ask(StorePointer store, const char* what, size_t ranks, milliseconds until,
            std::function<void(c10d::Store&)> before, const std::function<void()>& look = {}) {
  const std::function<Absence()> work = [=] {
    try {
      before(*store);
      return absent(*store, what, ranks, until);
    } catch (const std::exception&) {
      return unheard(ranks);
    }
  };
  return answer_of(work, until, look).value_or(unheard(ranks));
}

std::string place(const Rendezvous& where) {
  return where.file.empty() ? fmt::format("{}:{}", where.address, where.port) : where.file;
}

// The store of LibTorch 2 would rather serve by libuv, which not every build has (Debian 13's has not).
template <class Options>
void serve_plainly(Options& options) {
  if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
}

StorePointer connected(const std::string& address, const c10d::TCPStoreOptions& options) {
  const std::function<StorePointer()> work = [=]() -> StorePointer {
    return c10::make_intrusive<c10d::TCPStore>(address, options);
  };
  const std::optional<StorePointer> store = answer_of(work, options.timeout);
  if (!store) throw std::runtime_error("it does not answer");
  return *store;
}

}  // namespace

std::string names(const std::vector<size_t>& ranks) {
  return fmt::format("rank{} {}", ranks.size() > 1 ? "s" : "", fmt::join(ranks, ", "));
}

std::string first_line(const std::exception& e) {
  const std::string text = e.what();
  return text.substr(0, text.find('\n'));
}

StorePointer open_store(const Rendezvous& where, milliseconds timeout) {
  if (!where.file.empty()) {
    StorePointer store = c10::make_intrusive<c10d::FileStore>(where.file, static_cast<int>(where.size));
    store->setTimeout(timeout);
    return store;
  }
  c10d::TCPStoreOptions options;
  options.port = where.port;
  options.isServer = !where.store_is_there && where.rank == 0;
  options.numWorkers = where.size;
  options.waitWorkers = false;
  options.timeout = timeout;
  serve_plainly(options);
  try {
    StorePointer store = connected(where.address, options);
    if (where.prefix.empty()) return store;
    return c10::make_intrusive<c10d::PrefixStore>(where.prefix, store);
  } catch (const std::exception& e) {
    throw EnvironmentError(
        options.isServer
            ? fmt::format("rank 0 cannot keep the run's store on port {}: {}; choose another MASTER_PORT", where.port,
                          first_line(e))
            : fmt::format("rank {} cannot reach the run's store at {}:{} within {} ms: {}; start rank 0 there, or "
                          "check MASTER_ADDR and MASTER_PORT",
                          where.rank, where.address, where.port, timeout.count(), first_line(e)));
  }
}

void meet(const StorePointer& store, const Rendezvous& where, milliseconds timeout, const std::function<void()>& look) {
  const auto same = std::make_shared<std::atomic<int64_t>>(0);  // processes that say they are this rank
  const auto require_own_rank = [&] {
    if (*same > 1)
      throw EnvironmentError(
          fmt::format("{} processes at {} say that they are rank {}; give each its own RANK, and each run its own {}",
                      same->load(), place(where), where.rank,
                      where.file.empty() ? "MASTER_PORT" : "SIGNSTEP_STORE: remove the file of a run that has ended"));
  };
  const Absence absence = ask(
      store, "here", where.size, timeout,
      [same, rank = where.rank](c10d::Store& s) { *same = s.add(key("here", rank), 1); },
      [&] {
        require_own_rank();
        if (look) look();
      });
  require_own_rank();
  if (absence.store_failed)  // as when its keeper gives up waiting a little before this rank does
    throw EnvironmentError(fmt::format(
        "rank {} lost the run's store at {} while the ranks met{}; start all ranks again", where.rank, place(where),
        absence.ranks.empty() || absence.ranks.size() == where.size
            ? ""
            : fmt::format(" and {} of {} had not come", names(absence.ranks), where.size)));
  if (!absence.ranks.empty())
    throw EnvironmentError(
        fmt::format("{} of {} did not come to {} within {} ms; start all ranks, with one "
                    "WORLD_SIZE",
                    names(absence.ranks), where.size, place(where), timeout.count()));
}

Absence stop_and_look(const StorePointer& store, size_t rank, size_t ranks, milliseconds timeout) {
  return ask(store, "stopped", ranks, std::min(timeout, kGrace),
             [rank](c10d::Store& s) { s.set(key("stopped", rank), std::vector<uint8_t>{1}); });
}

}  // namespace signstep
