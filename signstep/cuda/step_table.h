// SPDX-License-Identifier: Apache-2.0
// What one launch steps: a table of tensors in device memory, plain data. Block k of the grid takes a block of
// lane_sums.h, 4096 elements of one tensor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "signstep/cuda/low_precision.h"
#include "signstep/kernels/lane_sums.h"
#include "signstep/kernels/sgd_block.h"
#include "signstep/kernels/sign_block.h"

namespace signstep {

// Where a tensor lies on the device, besides m and maximum, which are float32 and stand in its SignBlock or SgdBlock.
struct DeviceTensor {
  void* x;
  const void* g;
  uint64_t n;
  ElementType x_type, g_type;
  bool stochastic;  // how x is rounded where it is not float32; else to nearest
  bool vectors;     // each of the arrays starts at a multiple of 16 bytes
  Stream rounding;
};

struct SignEntry {
  DeviceTensor tensor;
  SignBlock block;  // its x and g are not looked at
};

struct SgdEntry {
  DeviceTensor tensor;
  SgdBlock block;  // likewise
};

// The sums of one block.
struct BlockSums {
  double s_dot_v, v_dot_v, u_dot_u;
  uint32_t nonzero, nonfinite;
};

// Whether all entries are such that quad_body.h steps them, and then what they have in common.
struct QuadTable {
  bool all;
  bool momentum, drawn;  // m or d is there; some have noise
};

template <class Entry>
struct StepTable {
  const Entry* entries;
  const uint32_t* first_block;  // tensors + 1 of them: blocks [first_block[t], first_block[t + 1]) are tensor t's
  uint32_t tensors;
  bool measure;                // sign_measure: sums alone
  StepStatistics* statistics;  // one for each tensor, 0 before
  BlockSums* sums;             // one for each block, or null: nonfinite is all that is counted
  QuadTable quads;
};

}  // namespace signstep
