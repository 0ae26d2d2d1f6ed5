// SPDX-License-Identifier: Apache-2.0
// libsignstep_cuda.so for a machine without a GPU: the kernels' bodies in loops over blocks and threads. Odd blocks run
// their threads backwards and blocks come last to first, so that a phase whose threads depend on each other shows.
#include <cstdlib>
#include <cstring>

#include "signstep/cuda/device_calls.h"
#include "signstep/cuda/step_body.h"
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

// body(grid, shared) for each block. What blocks share is new and full of noise for each of them.
template <class Shared, class Body>
int run(uint64_t blocks, uint32_t threads, Body&& body) {
  for (uint64_t block = blocks; block-- > 0;) {
    LoopGrid grid(static_cast<uint32_t>(block), threads);
    Shared shared;
    std::memset(static_cast<void*>(&shared), 0xA5, sizeof shared);
    body(grid, shared);
  }
  return 0;
}

struct Nothing {};

int devices(int* count) {
  *count = 1;
  return 0;
}

int allocate(int, size_t bytes, void** host, void** memory) {
  for (void** out : {host, memory})
    if (out != nullptr) {
      *out = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
      if (*out == nullptr) return 2;
      std::memset(*out, 0xA5, bytes);
    }
  return 0;
}

int release(int, void* host, void* memory) {
  std::free(host);
  std::free(memory);
  return 0;
}

int copy(int, void*, void* to, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return 0;
}

int wait(int, void*) { return 0; }
int make_event(int, void** event) {
  *event = nullptr;
  return 0;
}
int drop_event(int, void*) { return 0; }
int record(int, void*, void*, bool* recorded) {
  *recorded = true;
  return 0;
}

int sign(int, void*, const StepTable<SignEntry>* table, uint32_t blocks) {
  if (table->sums == nullptr)
    return run<Nothing>(blocks, kStepThreads, [&](LoopGrid& grid, Nothing&) { sign_body(grid, *table); });
  return run<StepShared>(blocks, kStepThreads,
                         [&](LoopGrid& grid, StepShared& shared) { sign_sums_body(grid, shared, *table); });
}

int sgd(int, void*, const StepTable<SgdEntry>* table, uint32_t blocks) {
  return run<Nothing>(blocks, kStepThreads, [&](LoopGrid& grid, Nothing&) { sgd_body(grid, *table); });
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

const char* text(int code) { return code == 2 ? "out of memory" : "an unknown code"; }

}  // namespace
}  // namespace signstep

extern "C" __attribute__((visibility("default"))) const signstep::DeviceCalls* signstep_cuda_calls() {
  using namespace signstep;
  static const DeviceCalls calls = {kDeviceLayout, devices,       allocate,   release, copy,
                                    wait,          make_event,    drop_event, record,  [](int, void*) { return 0; },
                                    sign,          sgd,           total,      pack,    signs,
                                    vote,          render_images, text};
  return &calls;
}
