// SPDX-License-Identifier: Apache-2.0
// libsignstep_cuda.so for a machine without a GPU: the kernels' bodies in loops over blocks and threads. Odd blocks run
// their threads backwards and blocks come last to first, so that a phase whose threads depend on each other shows. Its
// memory can be reached within its calls alone, as a device's: whoever reads it on the host gets a SIGSEGV, as there.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "signstep/cuda/baseline_body.h"
#include "signstep/cuda/device_calls.h"
#include "signstep/cuda/norm_back_body.h"
#include "signstep/cuda/quad_body.h"
#include "signstep/cuda/total_body.h"

namespace signstep {
namespace {

class LoopGrid {
 public:
  LoopGrid(uint32_t block, uint32_t threads) : block_(block), threads_(threads) {}
  uint32_t block() const { return block_; }
  template <class Phase>
  void each(Phase&& phase) {
    for (uint32_t k = 0; k < threads_; ++k) phase(block_ % 2 == 0 ? k : threads_ - 1 - k);
  }
  void add(uint64_t* to, uint64_t value) { *to += value; }

 private:
  uint32_t block_, threads_;
};

// The device's memory: every array on pages of its own.
class Memory {
 public:
  void* take(size_t bytes) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), whole = (bytes + page - 1) / page * page;
    void* const at = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return nullptr;
    std::memset(at, 0xA5, bytes);
    mprotect(at, whole, PROT_NONE);
    const std::lock_guard lock(mutex_);
    bytes_[at] = whole;
    return at;
  }

  void give_back(void* at) {
    const std::lock_guard lock(mutex_);
    if (const auto found = bytes_.find(at); found != bytes_.end()) {
      munmap(at, found->second);
      bytes_.erase(found);
    }
  }

  // Within work() alone it can be reached, by one call at a time.
  template <class Work>
  int during(Work&& work) {
    const std::lock_guard lock(mutex_);
    protect(PROT_READ | PROT_WRITE);
    const int code = work();
    protect(PROT_NONE);
    return code;
  }

 private:
  void protect(int how) const {
    for (const auto& [at, bytes] : bytes_) mprotect(at, bytes, how);
  }

  std::mutex mutex_;
  std::map<void*, size_t> bytes_;
} memory_of_device;

// body(grid, shared) for each block. What blocks share is new and full of noise for each of them.
template <class Shared, class Body>
int run(uint64_t blocks, uint32_t threads, Body&& body) {
  return memory_of_device.during([&] {
    for (uint64_t block = blocks; block-- > 0;) {
      LoopGrid grid(static_cast<uint32_t>(block), threads);
      Shared shared;
      std::memset(static_cast<void*>(&shared), 0xA5, sizeof shared);
      body(grid, shared);
    }
    return 0;
  });
}

struct Nothing {};

int devices(int* count) {
  *count = 1;
  return 0;
}

int allocate(int, size_t bytes, void** host, void** memory) {
  if (host != nullptr) {
    *host = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (*host == nullptr) return 2;
    std::memset(*host, 0xA5, bytes);
  }
  if (memory == nullptr) return 0;
  *memory = memory_of_device.take(bytes);
  if (*memory == nullptr && host != nullptr) std::free(*host);
  return *memory == nullptr ? 2 : 0;
}

int release(int, void* host, void* memory) {
  std::free(host);
  memory_of_device.give_back(memory);
  return 0;
}

int copy(int, void*, void* to, const void* from, size_t bytes) {
  return memory_of_device.during([&] {
    if (bytes > 0) std::memcpy(to, from, bytes);
    return 0;
  });
}

int wait(int, void*) { return 0; }
int make_event(int, void** event) {
  *event = nullptr;
  return 0;
}
int drop_event(int, void*) { return 0; }
int record(int, void*, void*) { return 0; }
int capturing(int, void*, bool* captured) {
  *captured = std::getenv("SIGNSTEP_EMULATED_CAPTURE") != nullptr;
  return 0;
}

int sign(int, void*, const StepTable<SignEntry>* table, uint32_t blocks) {
  int code = 0;
  if (table->quads.all) {
    with_quad_kind(table->quads.momentum, table->quads.drawn, [&]<class Kind>(Kind) {
      const auto plain = [&](LoopGrid& grid, FoundTensor& shared) {
        sign_quads_body<Kind::kMomentum, Kind::kDrawn>(grid, shared, *table);
      };
      const auto square = [&](LoopGrid& grid, QuadShared& shared) {
        sign_quads_square_body<Kind::kMomentum, Kind::kDrawn>(grid, shared, *table);
      };
      code = table->sums == nullptr ? run<FoundTensor>(blocks, kStepThreads, plain)
                                    : run<QuadShared>(blocks, kStepThreads, square);
    });
    return code;
  }
  if (table->sums == nullptr)
    return run<FoundTensor>(blocks, kStepThreads,
                            [&](LoopGrid& grid, FoundTensor& shared) { sign_body(grid, shared, *table); });
  return run<StepShared>(blocks, kStepThreads,
                         [&](LoopGrid& grid, StepShared& shared) { sign_sums_body(grid, shared, *table); });
}

int sgd(int, void*, const StepTable<SgdEntry>* table, uint32_t blocks) {
  return run<FoundTensor>(blocks, kStepThreads, [&](LoopGrid& grid, FoundTensor& shared) {
    if (!table->quads.all)
      sgd_body(grid, shared, *table);
    else if (table->quads.momentum)
      sgd_quads_body<true>(grid, shared, *table);
    else
      sgd_quads_body<false>(grid, shared, *table);
  });
}

int baseline(int, void*, Baseline kind, const StepTable<BaselineEntry>* table, uint32_t blocks) {
  return run<FoundTensor>(blocks, kStepThreads, [&](LoopGrid& grid, FoundTensor& shared) {
    switch (kind) {
      case Baseline::kSgd: return baseline_body<Baseline::kSgd>(grid, shared, *table);
      case Baseline::kHeavyBall: return baseline_body<Baseline::kHeavyBall>(grid, shared, *table);
      case Baseline::kAdam: return baseline_body<Baseline::kAdam>(grid, shared, *table);
    }
  });
}

int total(int, void*, const StepTable<SignEntry>* table) {
  return run<TotalShared>(table->tensors, kTotalThreads,
                          [&](LoopGrid& grid, TotalShared& shared) { total_body(grid, shared, *table); });
}

int pack(int, void*, const PackArguments* a) {
  return run<PackShared>(bits_blocks(a->n), kBitsThreads,
                         [&](LoopGrid& grid, PackShared& shared) { pack_body(grid, shared, *a); });
}

int signs(int, void*, const SignsArguments* a) {
  return run<Nothing>(bits_blocks(a->n), kBitsThreads, [&](LoopGrid& grid, Nothing&) { signs_body(grid, *a); });
}

int vote(int, void*, const VoteBlock* b) {
  return run<Nothing>(vote_blocks(*b), kBitsThreads, [&](LoopGrid& grid, Nothing&) { vote_body(grid, *b); });
}

int render_images(int, void*, const RenderArguments* a) {
  return run<Nothing>(render_blocks(*a), kRenderThreads, [&](LoopGrid& grid, Nothing&) { render_body(grid, *a); });
}

template <ElementType kType>
int norm_of(NormPass pass, const NormArguments& a) {
  const uint32_t blocks = norm_blocks(a, pass);
  const auto with = [&]<class Shared>(auto&& body) {
    return run<Shared>(blocks, kNormThreads, [&](LoopGrid& grid, Shared& shared) { body(grid, shared); });
  };
  switch (pass) {
    case NormPass::kSums:
      return with.template operator()<NormShared>(
          [&](LoopGrid& grid, NormShared& shared) { norm_sums_body<kType>(grid, shared, a); });
    case NormPass::kFinish:
      return with.template operator()<NormFinishShared>(
          [&](LoopGrid& grid, NormFinishShared& shared) { norm_finish_body<kType>(grid, shared, a); });
    case NormPass::kApply:
      return with.template operator()<Nothing>([&](LoopGrid& grid, Nothing&) { norm_apply_body<kType>(grid, a); });
    case NormPass::kBackSums:
      return with.template operator()<NormShared>(
          [&](LoopGrid& grid, NormShared& shared) { norm_back_sums_body<kType>(grid, shared, a); });
    case NormPass::kBackFinish:
      return with.template operator()<NormFinishShared>(
          [&](LoopGrid& grid, NormFinishShared& shared) { norm_back_finish_body(grid, shared, a); });
    case NormPass::kBackApply:
      return with.template operator()<Nothing>([&](LoopGrid& grid, Nothing&) { norm_back_apply_body<kType>(grid, a); });
  }
  return 1;
}

int norm(int, void*, NormPass pass, const NormArguments* a) {
  return a->type == ElementType::kFloat32 ? norm_of<ElementType::kFloat32>(pass, *a)
                                          : norm_of<ElementType::kBFloat16>(pass, *a);
}

// The code of CUDA's that a test names: 209 as on an architecture that nothing was compiled for, 2 as without memory.
int code(int, int* sm) {
  *sm = 61;
  const char* const named = std::getenv("SIGNSTEP_EMULATED_CODE");
  return named == nullptr ? 0 : std::atoi(named);
}

const char* text(int code) { return code == 2 ? "out of memory" : "an unknown code"; }

}  // namespace
}  // namespace signstep

extern "C" __attribute__((visibility("default"))) const signstep::DeviceCalls* signstep_cuda_calls() {
  using namespace signstep;
  static const DeviceCalls calls = {kDeviceLayout,
                                    devices,
                                    code,
                                    allocate,
                                    release,
                                    copy,
                                    wait,
                                    make_event,
                                    drop_event,
                                    record,
                                    [](int, void*) { return 0; },
                                    capturing,
                                    sign,
                                    sgd,
                                    baseline,
                                    total,
                                    pack,
                                    signs,
                                    vote,
                                    render_images,
                                    norm,
                                    text};
  return &calls;
}
