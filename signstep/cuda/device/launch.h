// SPDX-License-Identifier: Apache-2.0
// Internal to libsignstep_cuda.so: one launch each; whether it worked is for cudaGetLastError to say.
#pragma once

#include <cuda_runtime_api.h>

#include "signstep/cuda/baseline_table.h"
#include "signstep/cuda/bits_body.h"
#include "signstep/cuda/norm_table.h"
#include "signstep/cuda/render_body.h"
#include "signstep/cuda/step_table.h"

namespace signstep {

// Whether the current device has code: what CUDA says of one kernel, all of which are compiled for the same.
cudaError_t look_for_code();

void launch_sign(cudaStream_t stream, const StepTable<SignEntry>& table, uint32_t blocks);
void launch_sgd(cudaStream_t stream, const StepTable<SgdEntry>& table, uint32_t blocks);
void launch_baseline(cudaStream_t stream, Baseline kind, const StepTable<BaselineEntry>& table, uint32_t blocks);
void launch_total(cudaStream_t stream, const StepTable<SignEntry>& table);
void launch_pack(cudaStream_t stream, const PackArguments& arguments);
void launch_signs(cudaStream_t stream, const SignsArguments& arguments);
void launch_vote(cudaStream_t stream, const VoteBlock& vote);
void launch_norm(cudaStream_t stream, NormPass pass, const NormArguments& arguments);
void launch_render(cudaStream_t stream, const RenderArguments& arguments);

}  // namespace signstep
