// SPDX-License-Identifier: Apache-2.0
// The fast twins of kernels_ref.cc, one file an idea. They may run only where amx_kernels(), or without
// the matrix unit avx512_kernels(), is not null.
#pragma once

#include "signstep/engines/amx/kernels.h"

namespace signstep::amx {

// From here on amx_kernels() takes the matrix units for granted and asks for AVX-512 and its bf16 alone: for tests that
// emulate them (tests/support/amx_emulator.h). To be called before anything asks for the kernels.
void assume_matrix_units();

// From the next that asks for kernels on, these convert to bf16 by whole numbers, as where the processor cannot: for
// tests.
void convert_to_bf16_by_hand(bool on);

}  // namespace signstep::amx

namespace signstep::amx::fast {

// What multiplies: matrix_unit-inl.h, vector_unit-inl.h.
struct MatrixUnit;
template <class Products>
struct VectorUnit;
struct DotProducts;
struct FusedPairs;

void pack(const PackJob& job, int64_t out_block);
template <class Unit>
void conv(const ConvJob& job, const Part& part);
template <class Unit>
void data_gradient(const DataGradientJob& job, const Part& part);
void pool_gradient(const PoolGradientJob& job, int64_t group, int64_t row);
template <class Unit>
void weight_gradient(const WeightGradientJob& job, int64_t column, int64_t chunk, std::byte* scratch);
void sum_weight_gradient(const WeightGradientJob& job, int64_t out_block);
void normalize(const NormalizeJob& job, int64_t group, int64_t row);
void norm_gradient(const NormGradientJob& job, int64_t group, int64_t row);

}  // namespace signstep::amx::fast
