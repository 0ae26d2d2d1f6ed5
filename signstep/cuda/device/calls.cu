// SPDX-License-Identifier: Apache-2.0
// The functions of device_calls.h by CUDA's runtime. Each leaves the caller's device chosen.
#include "signstep/cuda/device_calls.h"

#include "signstep/cuda/device/launch.h"

namespace signstep {
namespace {

// What stays behind would be told of the next launch.
cudaError_t told_once(cudaError_t error) {
  if (error != cudaSuccess) cudaGetLastError();
  return error;
}

// Chooses a device for as long as it lives.
class Chosen {
 public:
  explicit Chosen(int device) {
    error_ = cudaGetDevice(&before_);
    if (error_ == cudaSuccess && before_ != device) error_ = cudaSetDevice(device);
    changed_ = error_ == cudaSuccess && before_ != device;
    told_once(error_);
  }
  ~Chosen() {
    if (changed_) told_once(cudaSetDevice(before_));
  }
  Chosen(const Chosen&) = delete;
  Chosen& operator=(const Chosen&) = delete;

  // What work() returns, or why the device could not be chosen.
  template <class Work>
  int then(Work&& work) {
    return error_ != cudaSuccess ? error_ : told_once(work());
  }

 private:
  cudaError_t error_;
  int before_ = 0;
  bool changed_ = false;
};

// For as long as it lives this thread may take and give back memory while another captures a graph, or it does itself:
// an optimizer is collected when its time has come.
class BesideCaptures {
 public:
  BesideCaptures() { exchange(); }
  ~BesideCaptures() { exchange(); }
  BesideCaptures(const BesideCaptures&) = delete;
  BesideCaptures& operator=(const BesideCaptures&) = delete;

 private:
  void exchange() { told_once(cudaThreadExchangeStreamCaptureMode(&mode_)); }

  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }

int devices(int* count) {
  const cudaError_t error = told_once(cudaGetDeviceCount(count));
  if (error != cudaErrorNoDevice) return error;
  *count = 0;
  return cudaSuccess;
}

int code(int device, int* sm) {
  return Chosen(device).then([&] {
    int major = 0, minor = 0;
    cudaError_t error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
    *sm = 10 * major + minor;
    return error == cudaSuccess ? look_for_code() : error;
  });
}

int allocate(int device, size_t bytes, void** host, void** memory) {
  const BesideCaptures apart;
  return Chosen(device).then([&] {
    void* pinned = nullptr;
    cudaError_t error = cudaSuccess;
    if (host != nullptr) error = cudaHostAlloc(&pinned, bytes, cudaHostAllocPortable);
    if (error == cudaSuccess && memory != nullptr) {
      error = cudaMalloc(memory, bytes);
      if (error != cudaSuccess && pinned != nullptr) cudaFreeHost(pinned);
    }
    if (error == cudaSuccess && host != nullptr) *host = pinned;
    return error;
  });
}

int release(int device, void* host, void* memory) {
  const BesideCaptures apart;
  return Chosen(device).then([&] {
    const cudaError_t first = host == nullptr ? cudaSuccess : cudaFreeHost(host);
    const cudaError_t second = memory == nullptr ? cudaSuccess : cudaFree(memory);
    return first != cudaSuccess ? first : second;
  });
}

int copy(int device, void* stream, void* to, const void* from, size_t bytes) {
  return Chosen(device).then([&] { return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_of(stream)); });
}

int wait(int device, void* stream) {
  return Chosen(device).then([&] { return cudaStreamSynchronize(stream_of(stream)); });
}

int make_event(int device, void** event) {
  return Chosen(device).then([&] {
    cudaEvent_t made = nullptr;
    const cudaError_t error = cudaEventCreateWithFlags(&made, cudaEventDisableTiming);
    *event = made;
    return error;
  });
}

int drop_event(int device, void* event) {
  if (event == nullptr) return cudaSuccess;
  const BesideCaptures apart;
  return Chosen(device).then([&] { return cudaEventDestroy(static_cast<cudaEvent_t>(event)); });
}

int record(int device, void* stream, void* event) {
  return Chosen(device).then([&] { return cudaEventRecord(static_cast<cudaEvent_t>(event), stream_of(stream)); });
}

int wait_event(int device, void* event) {
  const BesideCaptures apart;
  return Chosen(device).then([&] { return cudaEventSynchronize(static_cast<cudaEvent_t>(event)); });
}

int capturing(int device, void* stream, bool* captured) {
  return Chosen(device).then([&] {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    const cudaError_t error = cudaStreamIsCapturing(stream_of(stream), &status);
    *captured = status != cudaStreamCaptureStatusNone;
    return error;
  });
}

template <class Launch>
int launched(int device, Launch&& launch) {
  return Chosen(device).then([&] {
    launch();
    return cudaGetLastError();
  });
}

int sign(int device, void* stream, const StepTable<SignEntry>* table, uint32_t blocks) {
  return launched(device, [&] { launch_sign(stream_of(stream), *table, blocks); });
}
int sgd(int device, void* stream, const StepTable<SgdEntry>* table, uint32_t blocks) {
  return launched(device, [&] { launch_sgd(stream_of(stream), *table, blocks); });
}
int baseline(int device, void* stream, Baseline kind, const StepTable<BaselineEntry>* table, uint32_t blocks) {
  return launched(device, [&] { launch_baseline(stream_of(stream), kind, *table, blocks); });
}
int total(int device, void* stream, const StepTable<SignEntry>* table) {
  return launched(device, [&] { launch_total(stream_of(stream), *table); });
}
int pack(int device, void* stream, const PackArguments* arguments) {
  return launched(device, [&] { launch_pack(stream_of(stream), *arguments); });
}
int signs(int device, void* stream, const SignsArguments* arguments) {
  return launched(device, [&] { launch_signs(stream_of(stream), *arguments); });
}
int vote(int device, void* stream, const VoteBlock* votes) {
  return launched(device, [&] { launch_vote(stream_of(stream), *votes); });
}
int render_images(int device, void* stream, const RenderArguments* arguments) {
  return launched(device, [&] { launch_render(stream_of(stream), *arguments); });
}
int norm(int device, void* stream, NormPass pass, const NormArguments* arguments) {
  return launched(device, [&] { launch_norm(stream_of(stream), pass, *arguments); });
}

const char* text(int code) { return cudaGetErrorString(static_cast<cudaError_t>(code)); }

}  // namespace
}  // namespace signstep

extern "C" __attribute__((visibility("default"))) const signstep::DeviceCalls* signstep_cuda_calls() {
  using namespace signstep;
  static const DeviceCalls calls = {
      kDeviceLayout, devices, code, allocate, release, copy, wait,  make_event, drop_event,    record, wait_event,
      capturing,     sign,    sgd,  baseline, total,   pack, signs, vote,       render_images, norm,   text};
  return &calls;
}
