// SPDX-License-Identifier: Apache-2.0
#include "signstep/cuda/device.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <span>

#include "signstep/base/error.h"

namespace signstep {
namespace {

// There are no kernels for a device, or no device, and that will not change.
struct NoKernels : EnvironmentError {
  using EnvironmentError::EnvironmentError;
};

// CUDA's codes for kernels that were not compiled for the device: invalid device function, no kernel image for it, PTX
// that nothing compiles (no compiler, too old a driver, compiling switched off).
constexpr int kWithoutCode[] = {98, 209, 221, 222, 223};
// And for what may pass: no memory, devices that others hold.
constexpr int kMayPass[] = {2, 46};

bool is_one_of(std::span<const int> codes, int code) { return std::ranges::find(codes, code) != codes.end(); }

constexpr const char* kFile = "libsignstep_cuda.so";
constexpr const char* kVariable = "SIGNSTEP_CUDA_LIBRARY";

std::string path_of_library() {
  if (const char* named = std::getenv(kVariable); named != nullptr && *named != '\0') return named;
  Dl_info here{};
  if (dladdr(reinterpret_cast<const void*>(&device_calls), &here) == 0 || here.dli_fname == nullptr) return kFile;
  std::filesystem::path file = here.dli_fname;
  std::error_code error;
  // Of a program's own code it is argv[0], which has no folder where PATH found it: never the current one.
  if (!file.has_parent_path()) file = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path beside = file.parent_path() / kFile;
  return !error && std::filesystem::exists(beside, error) ? beside.string() : kFile;
}

const DeviceCalls* opened() {
  const std::string path = path_of_library();
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // for as long as the process lives
  if (library == nullptr) {
    const char* const why = dlerror();
    throw NoKernels(fmt::format("the CUDA kernels are not there ({}); build signstep where nvcc is, or name a {} in {}",
                                why == nullptr ? path : why, kFile, kVariable));
  }
  const auto calls = reinterpret_cast<decltype(&signstep_cuda_calls)>(dlsym(library, "signstep_cuda_calls"));
  if (calls == nullptr || calls()->layout != kDeviceLayout)
    throw NoKernels(fmt::format(
        "{} is of another build of signstep; wanted the one beside libsignstep.so; build both again", path));
  return calls();
}

}  // namespace

const DeviceCalls& device_calls() {
  static const DeviceCalls* const calls = opened();  // tried again where it threw
  return *calls;
}

int device_count() {
  const DeviceCalls& calls = device_calls();
  int count = 0;
  const int code = calls.devices(&count);
  if (is_one_of(kMayPass, code)) require_success(calls, code, "looking for devices");
  if (code != 0)
    throw NoKernels(fmt::format("CUDA cannot be used: {} (code {}); wanted a device and its driver; look at nvidia-smi",
                                calls.text(code), code));
  if (count < 1) throw NoKernels("CUDA sees 0 devices; wanted at least 1; look at nvidia-smi and CUDA_VISIBLE_DEVICES");
  return count;
}

void require_device(int device) {
  if (const int count = device_count(); device < 0 || device >= count)
    throw OptionError(fmt::format("device is {}; wanted 0 to {}, as CUDA sees {} of them", device, count - 1, count));
  const DeviceCalls& calls = device_calls();
  int sm = 0;
  const int code = calls.code(device, &sm);
  if (is_one_of(kWithoutCode, code))
    throw NoKernels(
        fmt::format("the CUDA kernels cannot run on device {}, of sm_{}: {} (code {}); build them with "
                    "-DSIGNSTEP_CUDA_ARCHITECTURES={}",
                    device, sm, calls.text(code), code, sm));
  require_success(calls, code, fmt::format("loading the kernels on device {}", device));
}

std::string device_obstacle(int device) {
  try {
    require_device(device);
    return {};
  } catch (const NoKernels& e) {
    return e.what();
  } catch (const OptionError& e) {
    return e.what();
  }
}

bool has_kernels(int device) {
  static std::mutex mutex;
  static std::map<int, bool> known;
  const std::lock_guard lock(mutex);
  auto at = known.find(device);
  if (at == known.end()) at = known.emplace(device, device_obstacle(device).empty()).first;
  return at->second;
}

bool is_captured(int device, void* stream) {
  const DeviceCalls& calls = device_calls();
  bool captured = false;
  require_success(calls, calls.capturing(device, stream, &captured), "asking whether a stream is being captured");
  return captured;
}

void refuse_capture(int device, void* stream) {
  if (is_captured(device, stream))
    throw OptionError(
        "a step was to be captured into a CUDA graph, whose replays would all be the same step; wanted it outside of "
        "one; capture what comes before it, or signstep_cuda_launch");
}

void require_success(const DeviceCalls& calls, int code, const std::string& doing) {
  if (code != 0)
    throw EnvironmentError(
        fmt::format("CUDA failed at {}: {} (code {}); after a failed kernel the process must be "
                    "started anew, where memory ran out step fewer tensors at once",
                    doing, calls.text(code), code));
}

}  // namespace signstep
