// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace signstep {

inline constexpr double kFlopsPerProduct = 2.0 * 16 * 16 * 32;  // of one tile instruction

// That many products of tiles that never leave the registers: what the matrix unit can do at most.
void multiply_in_registers(int64_t products);

inline constexpr double kFlopsPerDotProducts = 2.0 * 2 * 16;  // of one instruction of the vector unit

inline constexpr double kFlopsPerMultiplyAdd = 2.0 * 16;

// The same of the vector unit's dot products, and of its fused multiply-adds.
void dot_products_in_registers(int64_t products);
void multiply_adds_in_registers(int64_t products);

}  // namespace signstep
