// SPDX-License-Identifier: Apache-2.0
// The kernels: the bodies of step_body.h, quad_body.h, baseline_body.h, total_body.h, bits_body.h, render_body.h and
// norm_body.h on CUDA's grid, and their launches.
#include "signstep/cuda/baseline_body.h"
#include "signstep/cuda/device/launch.h"
#include "signstep/cuda/norm_back_body.h"
#include "signstep/cuda/quad_body.h"
#include "signstep/cuda/total_body.h"

namespace signstep {
namespace {

class CudaGrid {
 public:
  __device__ uint32_t block() const { return blockIdx.x; }
  template <class Phase>
  __device__ void each(Phase&& phase) {
    phase(threadIdx.x);
    __syncthreads();
  }
  __device__ void add(uint64_t* to, uint64_t value) {
    atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
  }
};

__global__ void __launch_bounds__(kStepThreads) sign_kernel(const StepTable<SignEntry> table) {
  __shared__ FoundTensor shared;
  CudaGrid grid;
  sign_body(grid, shared, table);
}

__global__ void __launch_bounds__(kStepThreads) sign_sums_kernel(const StepTable<SignEntry> table) {
  __shared__ StepShared shared;
  CudaGrid grid;
  sign_sums_body(grid, shared, table);
}

__global__ void __launch_bounds__(kStepThreads) sgd_kernel(const StepTable<SgdEntry> table) {
  __shared__ FoundTensor shared;
  CudaGrid grid;
  sgd_body(grid, shared, table);
}

// So many blocks of a multiprocessor that their loads under way hide the latency of memory; the registers allow no
// more, and before compute capability 8.0 the multiprocessor.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr int kLightBlocks = 4;
#else
constexpr int kLightBlocks = 5;
#endif

template <class Kind>
__global__ void __launch_bounds__(kStepThreads, Kind::kMomentum || Kind::kDrawn ? 4 : kLightBlocks)
    sign_quads_kernel(const StepTable<SignEntry> table) {
  __shared__ FoundTensor shared;
  CudaGrid grid;
  sign_quads_body<Kind::kMomentum, Kind::kDrawn>(grid, shared, table);
}

template <class Kind>
__global__ void __launch_bounds__(kStepThreads, Kind::kMomentum || Kind::kDrawn ? 4 : kLightBlocks)
    sign_quads_square_kernel(const StepTable<SignEntry> table) {
  __shared__ QuadShared shared;
  CudaGrid grid;
  sign_quads_square_body<Kind::kMomentum, Kind::kDrawn>(grid, shared, table);
}

template <bool kMomentum>
__global__ void __launch_bounds__(kStepThreads, kLightBlocks) sgd_quads_kernel(const StepTable<SgdEntry> table) {
  __shared__ FoundTensor shared;
  CudaGrid grid;
  sgd_quads_body<kMomentum>(grid, shared, table);
}

template <Baseline kKind>
__global__ void __launch_bounds__(kStepThreads) baseline_kernel(const StepTable<BaselineEntry> table) {
  __shared__ FoundTensor shared;
  CudaGrid grid;
  baseline_body<kKind>(grid, shared, table);
}

__global__ void __launch_bounds__(kTotalThreads) total_kernel(const StepTable<SignEntry> table) {
  __shared__ TotalShared shared;
  CudaGrid grid;
  total_body(grid, shared, table);
}

__global__ void __launch_bounds__(kBitsThreads) pack_kernel(const PackArguments arguments) {
  __shared__ PackShared shared;
  CudaGrid grid;
  pack_body(grid, shared, arguments);
}

__global__ void __launch_bounds__(kBitsThreads) signs_kernel(const SignsArguments arguments) {
  CudaGrid grid;
  signs_body(grid, arguments);
}

__global__ void __launch_bounds__(kBitsThreads) vote_kernel(const VoteBlock vote) {
  CudaGrid grid;
  vote_body(grid, vote);
}

__global__ void __launch_bounds__(kRenderThreads) render_kernel(const RenderArguments arguments) {
  CudaGrid grid;
  render_body(grid, arguments);
}

template <ElementType kType, NormPass kPass>
__global__ void __launch_bounds__(kNormThreads, kPass == NormPass::kBackSums || kPass == NormPass::kBackApply ? 3 : 4)
    norm_kernel(const NormArguments arguments) {
  CudaGrid grid;
  if constexpr (kPass == NormPass::kSums || kPass == NormPass::kBackSums) {
    __shared__ NormShared shared;
    if constexpr (kPass == NormPass::kSums)
      norm_sums_body<kType>(grid, shared, arguments);
    else
      norm_back_sums_body<kType>(grid, shared, arguments);
  } else if constexpr (kPass == NormPass::kFinish || kPass == NormPass::kBackFinish) {
    __shared__ NormFinishShared shared;
    if constexpr (kPass == NormPass::kFinish)
      norm_finish_body<kType>(grid, shared, arguments);
    else
      norm_back_finish_body(grid, shared, arguments);
  } else if constexpr (kPass == NormPass::kApply) {
    norm_apply_body<kType>(grid, arguments);
  } else {
    norm_back_apply_body<kType>(grid, arguments);
  }
}

template <ElementType kType>
void launch_norm_of(cudaStream_t stream, NormPass pass, const NormArguments& a) {
  const uint32_t blocks = norm_blocks(a, pass);
  switch (pass) {
    case NormPass::kSums: return norm_kernel<kType, NormPass::kSums><<<blocks, kNormThreads, 0, stream>>>(a);
    case NormPass::kFinish: return norm_kernel<kType, NormPass::kFinish><<<blocks, kNormThreads, 0, stream>>>(a);
    case NormPass::kApply: return norm_kernel<kType, NormPass::kApply><<<blocks, kNormThreads, 0, stream>>>(a);
    case NormPass::kBackSums: return norm_kernel<kType, NormPass::kBackSums><<<blocks, kNormThreads, 0, stream>>>(a);
    case NormPass::kBackFinish:
      return norm_kernel<kType, NormPass::kBackFinish><<<blocks, kNormThreads, 0, stream>>>(a);
    case NormPass::kBackApply: return norm_kernel<kType, NormPass::kBackApply><<<blocks, kNormThreads, 0, stream>>>(a);
  }
}

}  // namespace

void launch_sign(cudaStream_t stream, const StepTable<SignEntry>& table, uint32_t blocks) {
  if (table.quads.all) {
    with_quad_kind(table.quads.momentum, table.quads.drawn, [&]<class Kind>(Kind) {
      if (table.sums == nullptr)
        sign_quads_kernel<Kind><<<blocks, kStepThreads, 0, stream>>>(table);
      else
        sign_quads_square_kernel<Kind><<<blocks, kStepThreads, 0, stream>>>(table);
    });
  } else if (table.sums == nullptr) {
    sign_kernel<<<blocks, kStepThreads, 0, stream>>>(table);
  } else {
    sign_sums_kernel<<<blocks, kStepThreads, 0, stream>>>(table);
  }
}

void launch_sgd(cudaStream_t stream, const StepTable<SgdEntry>& table, uint32_t blocks) {
  if (!table.quads.all)
    sgd_kernel<<<blocks, kStepThreads, 0, stream>>>(table);
  else if (table.quads.momentum)
    sgd_quads_kernel<true><<<blocks, kStepThreads, 0, stream>>>(table);
  else
    sgd_quads_kernel<false><<<blocks, kStepThreads, 0, stream>>>(table);
}

void launch_baseline(cudaStream_t stream, Baseline kind, const StepTable<BaselineEntry>& table, uint32_t blocks) {
  switch (kind) {
    case Baseline::kSgd: return baseline_kernel<Baseline::kSgd><<<blocks, kStepThreads, 0, stream>>>(table);
    case Baseline::kHeavyBall: return baseline_kernel<Baseline::kHeavyBall><<<blocks, kStepThreads, 0, stream>>>(table);
    case Baseline::kAdam: return baseline_kernel<Baseline::kAdam><<<blocks, kStepThreads, 0, stream>>>(table);
  }
}

void launch_total(cudaStream_t stream, const StepTable<SignEntry>& table) {
  total_kernel<<<table.tensors, kTotalThreads, 0, stream>>>(table);
}

void launch_pack(cudaStream_t stream, const PackArguments& arguments) {
  pack_kernel<<<static_cast<uint32_t>(bits_blocks(arguments.n)), kBitsThreads, 0, stream>>>(arguments);
}

void launch_signs(cudaStream_t stream, const SignsArguments& arguments) {
  signs_kernel<<<static_cast<uint32_t>(bits_blocks(arguments.n)), kBitsThreads, 0, stream>>>(arguments);
}

cudaError_t look_for_code() {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, vote_kernel);
}

void launch_vote(cudaStream_t stream, const VoteBlock& vote) {
  vote_kernel<<<static_cast<uint32_t>(vote_blocks(vote)), kBitsThreads, 0, stream>>>(vote);
}

void launch_norm(cudaStream_t stream, NormPass pass, const NormArguments& arguments) {
  if (arguments.type == ElementType::kFloat32)
    launch_norm_of<ElementType::kFloat32>(stream, pass, arguments);
  else
    launch_norm_of<ElementType::kBFloat16>(stream, pass, arguments);
}

void launch_render(cudaStream_t stream, const RenderArguments& arguments) {
  render_kernel<<<static_cast<uint32_t>(render_blocks(arguments)), kRenderThreads, 0, stream>>>(arguments);
}

}  // namespace signstep
