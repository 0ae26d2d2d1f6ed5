// SPDX-License-Identifier: Apache-2.0
// libsignstep_cuda.so, opened when it is first asked for, and its codes as exceptions.
#pragma once

#include <string>

#include "signstep/cuda/device_calls.h"

namespace signstep {

// The functions of libsignstep_cuda.so, from the file that the environment variable SIGNSTEP_CUDA_LIBRARY names, or
// from beside the library or program that this code is in, or where the system looks (RUNPATH, LD_LIBRARY_PATH). Throws
// EnvironmentError where there is none, or one of another build. Cost: the first call loads a library.
const DeviceCalls& device_calls();

// How many devices there are, at least 1. Throws EnvironmentError where there is no library, no driver or no device.
int device_count();

// Throws OptionError for a device that is not there, EnvironmentError where the library was not compiled for it, or as
// device_count() does. Takes the device into use.
void require_device(int device);

// Why the kernels cannot be used on a device, for who has another way; empty where they can: there is no library, no
// driver, no such device, or no code for it. Throws EnvironmentError for what may pass, such as memory that ran out.
std::string device_obstacle(int device);

// Whether there is none; its answer is remembered for as long as the process lives. Safe from several threads.
bool has_kernels(int device);

// Whether what is queued there goes into a graph.
bool is_captured(int device, void* stream);

// For who reads what a launch does at once: throws OptionError where the stream is being captured into a graph, whose
// replays would be the same step again. Ask before anything is set.
void refuse_capture(int device, void* stream);

// Throws EnvironmentError for a code other than 0: what was being done, and what CUDA says.
void require_success(const DeviceCalls& calls, int code, const std::string& doing);

}  // namespace signstep
