// SPDX-License-Identifier: Apache-2.0
// The table is written in pinned memory and copied to the device's, all of it in one copy: statistics (zeros), first
// blocks, entries. Behind it in pinned memory lies room for the statistics that come back.
#include "signstep/cuda/device_steps.h"

#include <cstring>
#include <limits>

#include "signstep/base/error.h"

namespace signstep {
namespace {

size_t padded(size_t bytes) { return (bytes + 63) / 64 * 64; }

bool in_quads(const DeviceTensor& t) { return t.x_type == ElementType::kFloat32 && t.g_type == ElementType::kFloat32; }

QuadTable quads_of(std::span<const SignEntry> entries, bool measure) {
  QuadTable quads{.all = !measure, .momentum = false, .drawn = false};
  const SignEntry* first = nullptr;
  for (const SignEntry& e : entries) {
    if (e.tensor.n == 0) continue;
    if (first == nullptr) first = &e;
    quads.drawn = quads.drawn || e.block.noise == Noise::kBernoulli;
    quads.all = quads.all && in_quads(e.tensor) && e.block.maximum == nullptr && e.block.sgd_rate == 0 &&
                (e.block.noise == Noise::kNone || e.block.noise == Noise::kBernoulli) &&
                e.block.sums != StepSums::kAll && e.block.sums == first->block.sums &&
                (e.block.m == nullptr) == (first->block.m == nullptr);
  }
  quads.momentum = first != nullptr && first->block.m != nullptr;
  return quads;
}

QuadTable quads_of(std::span<const SgdEntry> entries) {
  QuadTable quads{.all = true, .momentum = false, .drawn = false};
  const SgdEntry* first = nullptr;
  for (const SgdEntry& e : entries) {
    if (e.tensor.n == 0) continue;
    if (first == nullptr) first = &e;
    quads.all = quads.all && in_quads(e.tensor) && (e.block.d == nullptr) == (first->block.d == nullptr);
  }
  quads.momentum = first != nullptr && first->block.d != nullptr;
  return quads;
}

template <class T>
T* part(void* memory, size_t offset) {
  return reinterpret_cast<T*>(static_cast<char*>(memory) + offset);
}

}  // namespace

DeviceSteps::DeviceSteps(int device) : calls_(device_calls()), device_(device) {
  require_device(device);
  require(calls_.make_event(device_, &event_), "making an event");
}

DeviceSteps::~DeviceSteps() {
  if (pending_) calls_.wait_event(device_, event_);
  calls_.release(device_, host_, memory_);
  calls_.release(device_, nullptr, block_sums_);
  calls_.drop_event(device_, event_);
}

void DeviceSteps::wait() {
  if (!pending_) return;
  pending_ = false;
  require(calls_.wait_event(device_, event_), "waiting for a step");
}

void DeviceSteps::reserve(size_t bytes, size_t blocks_with_sums) {
  if (bytes > reserved_) {
    require(calls_.release(device_, host_, memory_), "giving memory back");
    host_ = memory_ = nullptr;
    reserved_ = 0;
    require(calls_.allocate(device_, 2 * bytes, &host_, &memory_), "taking memory for the table of tensors");
    reserved_ = 2 * bytes;
  }
  if (blocks_with_sums > reserved_blocks_) {
    require(calls_.release(device_, nullptr, block_sums_), "giving memory back");
    block_sums_ = nullptr;
    reserved_blocks_ = 0;
    require(calls_.allocate(device_, blocks_with_sums * sizeof(BlockSums), nullptr, &block_sums_),
            "taking memory for sums");
    reserved_blocks_ = blocks_with_sums;
  }
}

template <class Entry>
void DeviceSteps::set_table(std::span<const Entry> entries) {
  wait();
  kind_ = Kind::kNone;
  tensors_ = blocks_ = 0;  // nothing is set until all of it is
  statistics_.clear();
  std::vector<uint32_t> first_block;
  sizes_.clear();
  uint64_t blocks = 0;
  for (const Entry& entry : entries) {
    first_block.push_back(static_cast<uint32_t>(blocks));
    sizes_.push_back(entry.tensor.n);
    blocks += (entry.tensor.n + kBlockElements - 1) / kBlockElements;
    if (blocks > std::numeric_limits<int32_t>::max())
      throw OptionError(
          fmt::format("tensors of more than 2^43 elements in one step; wanted fewer; make more optimizers"));
  }
  first_block.push_back(static_cast<uint32_t>(blocks));
  const size_t statistics = padded(entries.size() * sizeof(StepStatistics));
  layout_.first_block = statistics;
  layout_.entries = padded(statistics + first_block.size() * sizeof(uint32_t));
  layout_.bytes = padded(layout_.entries + entries.size_bytes());
  reserve(layout_.bytes + statistics, sums_ ? blocks : 0);
  std::memset(host_, 0, statistics);
  std::memcpy(part<char>(host_, layout_.first_block), first_block.data(), first_block.size() * sizeof(uint32_t));
  if (!entries.empty())
    std::memcpy(part<char>(host_, layout_.entries), static_cast<const void*>(entries.data()), entries.size_bytes());
  tensors_ = static_cast<uint32_t>(entries.size());
  blocks_ = static_cast<uint32_t>(blocks);
  statistics_.assign(tensors_, {});
}

void DeviceSteps::set(std::span<const SignEntry> entries, bool measure) {
  measure_ = measure;
  sums_ = measure;
  for (const SignEntry& entry : entries) sums_ = sums_ || entry.block.sums != StepSums::kNone;
  set_table(entries);
  quads_ = quads_of(entries, measure);
  kind_ = Kind::kSign;
}

void DeviceSteps::set(std::span<const SgdEntry> entries) {
  measure_ = sums_ = false;
  set_table(entries);
  quads_ = quads_of(entries);
  kind_ = Kind::kSgd;
}

void DeviceSteps::set(std::span<const BaselineEntry> entries, Baseline kind) {
  measure_ = sums_ = false;
  set_table(entries);
  quads_ = {};
  baseline_ = kind;
  kind_ = Kind::kBaseline;
}

template <class Entry>
StepTable<Entry> DeviceSteps::table() const {
  return {part<const Entry>(memory_, layout_.entries),
          part<const uint32_t>(memory_, layout_.first_block),
          tensors_,
          measure_,
          static_cast<StepStatistics*>(memory_),
          sums_ ? static_cast<BlockSums*>(block_sums_) : nullptr,
          quads_};
}

void DeviceSteps::launch(void* stream) {
  if (kind_ == Kind::kNone) throw OptionError("nothing was set; wanted a set before a launch; set what it is to do");
  if (blocks_ == 0) return;
  require(calls_.copy(device_, stream, memory_, host_, layout_.bytes), "copying the table of tensors");
  if (kind_ == Kind::kSgd) {
    const StepTable<SgdEntry> steps = table<SgdEntry>();
    require(calls_.sgd(device_, stream, &steps, blocks_), "launching the SGD step");
  } else if (kind_ == Kind::kBaseline) {
    const StepTable<BaselineEntry> steps = table<BaselineEntry>();
    require(calls_.baseline(device_, stream, baseline_, &steps, blocks_), "launching a step without sign");
  } else {
    const StepTable<SignEntry> steps = table<SignEntry>();
    require(calls_.sign(device_, stream, &steps, blocks_), "launching the sign step");
    if (sums_) require(calls_.total(device_, stream, &steps), "launching the sums of a step");
  }
  require(calls_.copy(device_, stream, part<char>(host_, layout_.bytes), memory_, tensors_ * sizeof(StepStatistics)),
          "copying the sums back");
  if (is_captured(device_, stream)) return;  // there is nothing to wait for
  require(calls_.record(device_, stream, event_), "recording an event");
  pending_ = true;
}

std::span<const StepStatistics> DeviceSteps::read() {
  wait();
  if (blocks_ > 0) std::memcpy(statistics_.data(), part<char>(host_, layout_.bytes), tensors_ * sizeof(StepStatistics));
  for (size_t t = 0; t < statistics_.size(); ++t) statistics_[t].finite = sizes_[t] - statistics_[t].nonfinite;
  return statistics_;
}

}  // namespace signstep
