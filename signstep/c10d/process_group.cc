// SPDX-License-Identifier: Apache-2.0
// This folder alone includes c10d: LibTorch 1.13 (Debian 12), 2.6 (Debian 13) and 2.15 (PyPI) agree on all that is
// used.
#include "signstep/c10d/process_group.h"

#include <signal.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <utility>
#include <vector>

#include "signstep/base/error.h"
#include "signstep/base/text.h"
#include "signstep/c10d/backend.h"
#include "signstep/c10d/run_store.h"

namespace signstep {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string backend_name(WorkerBackend backend) { return backend == WorkerBackend::kNccl ? "nccl" : "gloo"; }

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
      : Communicator(where.rank, where.size), timeout_(timeout), store_(open_store(where, timeout, look)) {
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
    if (failure_) throw *failure_;
    const auto note_absence = [&] {
      const auto now = steady_clock::now();
      longest_absence_ = std::max(longest_absence_, now - std::exchange(last_call_, now));
    };
    try {
      call();
      note_absence();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& e) {
      note_absence();
      const auto [who, first_is_lost] = who_stopped();
      failure_.emplace(explain(name, who, first_line(e)), first_is_lost);
      throw *failure_;
    }
  }

  // A backend names an address at best. Each rank that stops says so in the store and leaves the group, so that those
  // who wait for it notice too; who says nothing is the one that others wait for.
  std::string explain(const char* name, const std::string& who, const std::string& reason) const {
    return fmt::format("rank {} of {}: {} failed: {}; start the run again (timeout {} ms; c10d says: {})", rank(),
                       size(), name, who, timeout_.count(), reason);
  }

  // In words, and whether rank 0 is among them.
  std::pair<std::string, bool> who_stopped() {
    if (backend_.device.is_cpu()) backend_.group.reset();  // NCCL's would wait for what cannot end
    Absence absence = stop_and_look(store_, rank(), size(), timeout_);
    const bool unheard = absence.ranks.size() == size();
    std::erase(absence.ranks, rank());
    const bool keeper = !absence.ranks.empty() && absence.ranks[0] == 0;  // else it said that it stopped, and has
    if (absence.store_failed && (unheard || keeper))
      return {"the keeper of the run's store, rank 0 or torchrun's agent, has stopped or hangs", true};
    if (!absence.ranks.empty())
      return {names(absence.ranks) + (absence.ranks.size() == 1 ? " does" : " do") + " not answer", keeper};
    if (longest_absence_ >= timeout_)
      return {fmt::format("every rank answers, but {:.0f} s went by from one call of this one to the next: it was "
                          "suspended, or its disk slow, and the others waited no longer; or their calls differ",
                          std::chrono::duration<double>(longest_absence_).count()),
              false};
    return {"every rank answers, but they differ in their calls or a link broke", false};
  }

  const milliseconds timeout_;
  StorePointer store_;
  OpenBackend backend_;
  std::optional<WireError> failure_;  // for good: what was under way is lost
  steady_clock::time_point last_call_ = steady_clock::now();
  steady_clock::duration longest_absence_{};  // from the end of one call to that of the next
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
