// SPDX-License-Identifier: Apache-2.0
#include "signstep/c10d/run_store.h"

#include <fcntl.h>
#include <torch/version.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "signstep/base/error.h"
#include "signstep/base/number.h"
#include "signstep/base/text.h"
#include "signstep/c10d/local_address.h"

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

std::string all_key(const char* what, size_t ranks) { return fmt::format("signstep/{}/all/{}", what, ranks); }

// Says it of this rank; who is the last to say so says that all have. Returns how many processes have said it of it.
int64_t say(c10d::Store& store, const char* what, size_t rank, size_t ranks) {
  const int64_t same = store.add(key(what, rank), 1);
  const std::string all = all_key(what, ranks);
  if (same == 1 && store.add(all + "/count", 1) == static_cast<int64_t>(ranks)) store.set(all, std::vector<uint8_t>{1});
  return same;
}

// What the first rank that came says it to be.
size_t first_size(c10d::Store& store, size_t own) {
  if (store.add("signstep/size/count", 1) == 1) {
    const std::string text = std::to_string(own);
    store.set("signstep/size", std::vector<uint8_t>(text.begin(), text.end()));
  }
  const std::vector<uint8_t> told = store.get("signstep/size");
  return static_cast<size_t>(parse_integer(std::string(told.begin(), told.end())).value_or(0));
}

// Of the ranks from first on those without such a key: one question where none is.
void find_absent(c10d::Store& store, const char* what, size_t first, size_t count, std::vector<size_t>& absent) {
  std::vector<std::string> keys;
  for (size_t r = first; r < first + count; ++r) keys.push_back(key(what, r));
  if (store.check(keys)) return;
  if (count == 1) {
    absent.push_back(first);
    return;
  }
  find_absent(store, what, first, count / 2, absent);
  find_absent(store, what, first + count / 2, count - count / 2, absent);
}

// The ranks without such a key: none as soon as all have one, else those that a look finds at each quarter of the wait.
// Where the store fails meanwhile, those of the last look. A keeper that all ranks ask can answer: a thousand questions
// a second.
Absence absent(c10d::Store& store, const char* what, size_t ranks, milliseconds until) {
  constexpr int kLooks = 4;
  const milliseconds pause = std::max<milliseconds>(kPoll, milliseconds(ranks));
  const auto begin = steady_clock::now();
  Absence absence = unheard(ranks);
  try {
    for (int look = 1; look <= kLooks; ++look) {
      const auto then = begin + until * look / kLooks;
      do {
        if (store.check({all_key(what, ranks)})) return {};
        std::this_thread::sleep_for(std::min<steady_clock::duration>(pause, then - steady_clock::now()));
      } while (steady_clock::now() < then);
      std::vector<size_t> missing;
      find_absent(store, what, 0, ranks, missing);
      absence.ranks = std::move(missing);
    }
    absence.store_failed = false;
  } catch (const std::exception&) {
  }
  return absence;
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

struct Connection {
  StorePointer store;
  std::string problem = "it does not answer";  // where there is no store
};

// Throws what look throws.
Connection connect(const std::string& address, const c10d::TCPStoreOptions& options,
                   const std::function<void()>& look) {
  const std::function<Connection()> work = [=]() -> Connection {
    try {
      return {c10::make_intrusive<c10d::TCPStore>(address, options), ""};
    } catch (const std::exception& e) {
      return {{}, first_line(e)};
    }
  };
  return answer_of(work, options.timeout, look).value_or(Connection{});
}

// Another PyTorch's torchrun may keep a store that this LibTorch cannot talk to.
std::string agents_store(const Rendezvous& where) {
  if (!where.store_is_there) return "";
  return fmt::format(
      "; torchrun keeps it: where that is of another PyTorch than this program's LibTorch {}, set "
      "TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for it",
      TORCH_VERSION);
}

}  // namespace

std::string names(const std::vector<size_t>& ranks) {
  return fmt::format("rank{} {}", ranks.size() > 1 ? "s" : "", fmt::join(ranks, ", "));
}

std::string first_line(const std::exception& e) {
  const std::string text = e.what();
  return text.substr(0, text.find('\n'));
}

StorePointer open_store(const Rendezvous& where, milliseconds timeout, const std::function<void()>& look) {
  if (!where.file.empty()) {
    const int file =
        ::open(where.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);  // as c10d opens it, again and again
    if (file < 0) throw_errno("open", where.file, "set SIGNSTEP_STORE to a file that all ranks may write");
    ::close(file);
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
  const Connection there = connect(where.address, options, look);
  if (!there.store) local_address_towards(where.address, where.port);  // throws for no such host
  if (!there.store)
    throw EnvironmentError(
        options.isServer
            ? fmt::format("rank 0 cannot keep the run's store on port {}: {}; choose another MASTER_PORT, or "
                          "check that MASTER_ADDR, {}, is this machine",
                          where.port, there.problem, where.address)
            : fmt::format("rank {} cannot reach the run's store at {}:{} within {} ms: {}; start rank 0 there, or "
                          "check MASTER_ADDR and MASTER_PORT{}",
                          where.rank, where.address, where.port, timeout.count(), there.problem, agents_store(where)));
  if (where.prefix.empty()) return there.store;
  return c10::make_intrusive<c10d::PrefixStore>(where.prefix, there.store);
}

void meet(const StorePointer& store, const Rendezvous& where, milliseconds timeout, const std::function<void()>& look) {
  struct Heard {
    std::atomic<int64_t> same = 0;  // processes that say they are this rank
    std::atomic<size_t> size = 0;   // WORLD_SIZE of the first that came
  };
  const auto heard = std::make_shared<Heard>();
  const auto require_own_place = [&] {
    if (heard->same > 1)
      throw EnvironmentError(
          fmt::format("{} processes at {} say that they are rank {}; give each its own RANK, and each run its own {}",
                      heard->same.load(), place(where), where.rank,
                      where.file.empty() ? "MASTER_PORT" : "SIGNSTEP_STORE: remove the file of a run that has ended"));
    if (heard->size != 0 && heard->size != where.size)
      throw EnvironmentError(fmt::format(
          "rank {} was started with WORLD_SIZE {} and the first that came to {} with {}; start all with one",
          where.rank, where.size, place(where), heard->size.load()));
  };
  const Absence absence = ask(
      store, "here", where.size, timeout,
      [heard, rank = where.rank, size = where.size](c10d::Store& s) {
        heard->size = first_size(s, size);
        if (heard->size == size) heard->same = say(s, "here", rank, size);
      },
      [&] {
        require_own_place();
        if (look) look();
      });
  require_own_place();
  if (absence.store_failed)  // as when its keeper gives up waiting a little before this rank does
    throw EnvironmentError(fmt::format(
        "rank {} lost the run's store at {} while the ranks met{}; start all ranks again{}", where.rank, place(where),
        absence.ranks.empty() || absence.ranks.size() == where.size
            ? ""
            : fmt::format(" and {} of {} had not come", names(absence.ranks), where.size),
        agents_store(where)));
  if (!absence.ranks.empty())
    throw EnvironmentError(
        fmt::format("{} of {} did not come to {} within {} ms; start all ranks, with one "
                    "WORLD_SIZE",
                    names(absence.ranks), where.size, place(where), timeout.count()));
}

Absence stop_and_look(const StorePointer& store, size_t rank, size_t ranks, milliseconds timeout) {
  return ask(store, "stopped", ranks, std::min(timeout, kGrace),
             [rank, ranks](c10d::Store& s) { say(s, "stopped", rank, ranks); });
}

}  // namespace signstep
