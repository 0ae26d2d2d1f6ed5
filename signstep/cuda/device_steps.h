// SPDX-License-Identifier: Apache-2.0
// One step of many tensors of a device in one launch (two where sums are wanted): set the table, launch, read what the
// step says of itself.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "signstep/cuda/baseline_table.h"
#include "signstep/cuda/device.h"

namespace signstep {

class DeviceSteps {
 public:
  // device: its number. Throws EnvironmentError as device_count, and OptionError for a device that is not there.
  explicit DeviceSteps(int device);
  ~DeviceSteps();
  DeviceSteps(const DeviceSteps&) = delete;
  DeviceSteps& operator=(const DeviceSteps&) = delete;

  // What the next launches do, in the place of what the last set said; waits for launches that are under way, as far as
  // they were not captured into a graph. measure: as sign_measure. Throws EnvironmentError where memory runs out,
  // OptionError for more than 2^31 blocks. Entries lie in the order that read() has.
  void set(std::span<const SignEntry> entries, bool measure);
  void set(std::span<const SgdEntry> entries);
  void set(std::span<const BaselineEntry> entries, Baseline kind);

  // Steps the tensors, in the order of the stream, without waiting. May be captured into a CUDA graph: a replay takes
  // the table as the last set() left it, which must be of the same tensors, kind and sums as the captured one.
  void launch(void* stream);

  // Of the last launch, one for each entry; waits for it. After a replay the caller waits for its stream first.
  std::span<const StepStatistics> read();

  int device() const { return device_; }

 private:
  enum class Kind { kNone, kSign, kSgd, kBaseline };
  // Parts of the table, each at a multiple of 64 bytes.
  struct Layout {
    size_t first_block = 0, entries = 0, bytes = 0;
  };

  template <class Entry>
  void set_table(std::span<const Entry> entries);
  template <class Entry>
  StepTable<Entry> table() const;
  void reserve(size_t bytes, size_t blocks_with_sums);
  void wait();
  void require(int code, const char* doing) const { require_success(calls_, code, doing); }

  const DeviceCalls& calls_;
  int device_;
  Kind kind_ = Kind::kNone;
  bool measure_ = false, sums_ = false, pending_ = false;
  QuadTable quads_{};
  Baseline baseline_{};
  uint32_t tensors_ = 0, blocks_ = 0;
  Layout layout_;
  std::vector<uint64_t> sizes_;
  std::vector<StepStatistics> statistics_;
  size_t reserved_ = 0, reserved_blocks_ = 0;
  void *host_ = nullptr, *memory_ = nullptr, *block_sums_ = nullptr, *event_ = nullptr;
};

}  // namespace signstep
