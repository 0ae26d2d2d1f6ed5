// SPDX-License-Identifier: Apache-2.0
// Words for what the CPU's scalar references and the CUDA kernels share: one body, compiled by both. Under another
// compiler than nvcc they say nothing.
#pragma once

#include <bit>
#include <cstdint>

#ifdef __CUDACC__
#define SIGNSTEP_HD __host__ __device__
#define SIGNSTEP_TABLE static __device__ constexpr  // an array of constants that device code indexes
#define SIGNSTEP_UNROLL _Pragma("unroll")
#define SIGNSTEP_UNROLL_4 _Pragma("unroll 4")
#else
#define SIGNSTEP_HD
#define SIGNSTEP_TABLE inline constexpr
#define SIGNSTEP_UNROLL
#define SIGNSTEP_UNROLL_4
#endif

namespace signstep {

// std::isfinite, which a device may not have.
SIGNSTEP_HD inline bool is_finite(float value) { return (std::bit_cast<uint32_t>(value) & 0x7F800000u) != 0x7F800000u; }

}  // namespace signstep
