// SPDX-License-Identifier: Apache-2.0
// SignSGD to and from LibTorch's archives. Internal to SignSGD and its tests. Counters are integers, doubles lie in
// float64 tensors, so all of it survives exactly.
//
//   signstep                 "SignSGD 1": what this is, and the format's version
//   steps, dither_rms, switch/NAME
//   groups                   how many; groupG/size, groupG/options/NAME: those in force, as text, the learning rate as
//                            a number
//   average/I, maximum/I     m and dither's maximum of parameter I over all groups, where it has one; older archives
//   have no
//                            maximum at all
#pragma once

#include <torch/serialize/archive.h>

#include <utility>
#include <vector>

#include "signstep/libtorch/sign_sgd_options.h"
#include "signstep/optim/sign_optimizer.h"

namespace signstep {

struct SavedSignSGD {
  uint64_t steps = 0;
  SignState state;
  std::vector<std::pair<uint64_t, SignSGDOptions>> groups;  // number of parameters, options
  std::vector<at::Tensor> averages, maxima;                 // undefined where there is none
};

void write_archive(torch::serialize::OutputArchive& archive, const SavedSignSGD& saved);

// What the archive says, which need not fit anything. Averages and maxima are read, one for each of the parameters,
// where the groups have that many. Throws CheckpointError for an archive of something else, a damaged or an incomplete
// one.
SavedSignSGD read_archive(torch::serialize::InputArchive& archive, size_t parameters);

}  // namespace signstep
