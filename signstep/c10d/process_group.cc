// SPDX-License-Identifier: Apache-2.0
// This folder alone includes c10d: LibTorch 1.13 (Debian 12), 2.6 (Debian 13) and 2.15 (PyPI) agree on all that is
// used.
#include "signstep/c10d/process_group.h"

#include <signal.h>

#include <algorithm>
#include <functional>
#include <future>
#include <numeric>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/base/text.h"
#include "signstep/c10d/backend.h"

namespace signstep {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using StorePointer = c10::intrusive_ptr<c10d::Store>;

constexpr milliseconds kPoll{10};
constexpr milliseconds kGrace{2000};  // for the other ranks to say that they have stopped too

std::string key(const char* what, size_t rank) { return fmt::format("signstep/{}/{}", what, rank); }

// The first line of what c10d says, without its stack.
std::string first_line(const std::exception& e) {
  const std::string text = e.what();
  return text.substr(0, text.find('\n'));
}

std::string names(const std::vector<size_t>& ranks) {
  return fmt::format("rank{} {}", ranks.size() > 1 ? "s" : "", fmt::join(ranks, ", "));
}

struct Absence {
  std::vector<size_t> ranks;
  bool store_failed = false;  // before all were there; the ranks are those of the last answer
};

// The ranks without such a key when all have one, or until has passed.
Absence absent(c10d::Store& store, const char* what, size_t ranks, milliseconds until) {
  Absence absence{std::vector<size_t>(ranks)};
  std::iota(absence.ranks.begin(), absence.ranks.end(), size_t{0});
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

// absent() after before(store), on a thread that is left behind where no answer comes: c10d waits for a store's keeper
// that is frozen, and not dead, without an end. Throws what look throws, which is called meanwhile.
Absence ask(StorePointer store, const char* what, size_t ranks, milliseconds until,
            std::function<void(c10d::Store&)> before, const std::function<void()>& look = {}) {
  std::promise<Absence> promise;
  std::future<Absence> answer = promise.get_future();
  std::thread([=, promise = std::move(promise)]() mutable {
    try {
      before(*store);
      promise.set_value(absent(*store, what, ranks, until));
    } catch (const std::exception&) {
      promise.set_value({{0}, true});
    }
  }).detach();
  const auto deadline = steady_clock::now() + until + kGrace;
  while (answer.wait_for(kPoll) != std::future_status::ready) {
    if (steady_clock::now() >= deadline) return {{0}, true};
    if (look) look();
  }
  return answer.get();
}

std::string backend_name(WorkerBackend backend) { return backend == WorkerBackend::kNccl ? "nccl" : "gloo"; }

std::string place(const Rendezvous& where) {
  return where.file.empty() ? fmt::format("{}:{}", where.address, where.port) : where.file;
}

// The store of LibTorch 2 would rather serve by libuv, which not every build has (Debian 13's has not).
template <class Options>
void serve_plainly(Options& options) {
  if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
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
    StorePointer store = c10::make_intrusive<c10d::TCPStore>(where.address, options);
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
  int64_t same = 0;
  Absence absence;
  try {
    same = store->add(key("here", where.rank), 1);
  } catch (const std::exception&) {
    absence.store_failed = true;
  }
  if (same == 1)
    absence = ask(
        store, "here", where.size, timeout, [](c10d::Store&) {}, look);
  if (absence.store_failed)  // as when its keeper gives up waiting a little before this rank does
    throw EnvironmentError(fmt::format(
        "rank {} lost the run's store at {} while the ranks met{}; start all ranks again", where.rank, place(where),
        absence.ranks.empty() ? "" : fmt::format(" and {} of {} had not come", names(absence.ranks), where.size)));
  if (same != 1)
    throw EnvironmentError(
        fmt::format("{} processes at {} say that they are rank {}; give each its own RANK, and each run its own {}",
                    same, place(where), where.rank,
                    where.file.empty() ? "MASTER_PORT" : "SIGNSTEP_STORE: remove the file of a run that has ended"));
  if (!absence.ranks.empty())
    throw EnvironmentError(
        fmt::format("{} of {} did not come to {} within {} ms; start all ranks, with one "
                    "WORLD_SIZE",
                    names(absence.ranks), where.size, place(where), timeout.count()));
}

OpenBackend open_backend(WorkerBackend backend, const Rendezvous& where, StorePointer store, milliseconds timeout) {
  switch (backend) {
    case WorkerBackend::kGloo:
#ifdef SIGNSTEP_WITH_GLOO
      return open_gloo(where, std::move(store), timeout);
#else
      break;
#endif
    case WorkerBackend::kNccl:
#ifdef SIGNSTEP_WITH_NCCL
      return open_nccl(where, std::move(store), timeout);
#else
      break;
#endif
  }
  throw std::logic_error("require_backend was to refuse this");
}

class C10dCommunicator final : public Communicator {
 public:
  C10dCommunicator(WorkerBackend backend, const Rendezvous& where, milliseconds timeout,
                   const std::function<void()>& look)
      : Communicator(where.rank, where.size), timeout_(timeout), store_(open_store(where, timeout)) {
    meet(store_, where, timeout, look);
    run("the connection of all ranks", [&] {
      backend_ = open_backend(
          backend, where, c10::make_intrusive<c10d::PrefixStore>("signstep/" + backend_name(backend), store_), timeout);
      wait(backend_.group->barrier(barrier_options()));  // while one still connects, rank 0 must keep the store
    });
  }

 private:
  void do_all_to_all(std::span<const std::byte> send, std::span<std::byte> receive) override {
    if (send.empty()) return;
    run("all_to_all", [&] {
      at::Tensor from = on_device(send), to = on_device(receive);
      std::vector<int64_t> equal_parts;
      wait(backend_.group->alltoall_base(to, from, equal_parts, equal_parts));
      to_host(to, receive);
    });
  }
  void do_all_gather(std::span<const std::byte> chunk, std::span<std::byte> all) override {
    if (chunk.empty()) return;
    run("all_gather", [&] {
      at::Tensor whole = on_device(all);
      std::vector<at::Tensor> from = {on_device(chunk)};
      std::vector<std::vector<at::Tensor>> to = {whole.chunk(static_cast<int64_t>(size()))};
      wait(backend_.group->allgather(to, from));
      to_host(whole, all);
    });
  }
  void do_broadcast(std::span<std::byte> data, size_t root) override {
    if (data.empty()) return;
    run("broadcast", [&] {
      std::vector<at::Tensor> tensors = {on_device(data)};
      c10d::BroadcastOptions options;
      options.rootRank = static_cast<int64_t>(root);
      options.rootTensor = 0;
      wait(backend_.group->broadcast(tensors, options));
      to_host(tensors[0], data);
    });
  }
  void do_barrier() override {
    run("barrier", [&] { wait(backend_.group->barrier(barrier_options())); });
  }

  // c10d only reads what it sends.
  static at::Tensor view(std::span<const std::byte> bytes) {
    return at::from_blob(const_cast<std::byte*>(bytes.data()), {static_cast<int64_t>(bytes.size())}, at::kByte);
  }
  at::Tensor on_device(std::span<const std::byte> bytes) const { return view(bytes).to(backend_.device); }
  void to_host(const at::Tensor& tensor, std::span<std::byte> bytes) const {
    if (!backend_.device.is_cpu()) view(bytes).copy_(tensor);  // else it is a view of them
  }
  c10d::BarrierOptions barrier_options() const {
    c10d::BarrierOptions options;
    if (!backend_.device.is_cpu()) options.device_ids = {backend_.device.index()};
    return options;
  }
  template <class Work>
  void wait(const Work& work) const {
    work->wait(backend_.wait);
  }

  template <class Call>
  void run(const char* name, Call&& call) {
    if (!failure_.empty()) throw WireError(failure_);
    try {
      call();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& e) {
      failure_ = explain(name, first_line(e));
      throw WireError(failure_);
    }
  }

  // A backend names an address at best. Each rank that stops says so in the store and leaves the group, so that those
  // who wait for it notice too; who says nothing is the one that others wait for.
  std::string explain(const char* name, const std::string& reason) {
    return fmt::format("rank {} of {}: {} failed: {}; start the run again (timeout {} ms; c10d says: {})", rank(),
                       size(), name, who_stopped(), timeout_.count(), reason);
  }

  std::string who_stopped() {
    if (backend_.device.is_cpu()) backend_.group.reset();  // NCCL's would wait for what cannot end
    Absence absence = ask(store_, "stopped", size(), std::min(timeout_, kGrace), [own = rank()](c10d::Store& store) {
      store.set(key("stopped", own), std::vector<uint8_t>{1});
    });
    std::erase(absence.ranks, rank());
    const bool keeper = !absence.ranks.empty() && absence.ranks[0] == 0;  // else it said that it stopped, and has
    if (absence.store_failed && keeper)
      return "the keeper of the run's store, rank 0 or torchrun's agent, has stopped or hangs";
    if (absence.ranks.empty()) return "every rank answers, but they differ in their calls or a link broke";
    return names(absence.ranks) + (absence.ranks.size() == 1 ? " does" : " do") + " not answer";
  }

  const milliseconds timeout_;
  StorePointer store_;
  OpenBackend backend_;
  std::string failure_;  // for good: what was under way is lost
};

}  // namespace

void require_backend(WorkerBackend backend) {
#ifndef SIGNSTEP_WITH_GLOO
  if (backend == WorkerBackend::kGloo)
    throw OptionError(
        "this program was built without gloo's headers (Debian: libgloo-dev; PyPI's PyTorch has none); use "
        "--worker-backend nccl with a GPU for each worker, or one worker");
#endif
#ifndef SIGNSTEP_WITH_NCCL
  if (backend == WorkerBackend::kNccl)
    throw OptionError(
        "this program was built without NCCL, for which CMake wants a CUDA build of PyTorch 2 and nccl.h; use "
        "--worker-backend gloo");
#endif
}

std::unique_ptr<Communicator> join_process_group(const Rendezvous& where, milliseconds timeout, WorkerBackend backend,
                                                 const std::function<void()>& look) {
  require_backend(backend);
  struct sigaction now {};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
  return std::make_unique<C10dCommunicator>(backend, where, timeout, look);
}

}  // namespace signstep
