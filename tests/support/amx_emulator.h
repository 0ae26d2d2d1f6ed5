// SPDX-License-Identifier: Apache-2.0
// A test that links amx_emulator.cc runs the amx engine's fast kernels on every processor with AVX-512 and bf16: where
// there are no matrix units, each of their instructions is an illegal one (SIGILL), whose handler does what Intel's
// manual says (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, LDTILECFG to TILEZERO; the order
// of the sums inside one TDPBF16PS is not promised, so bits are compared with nothing). Microseconds an instruction;
// what a speed is worth it does not say. A tile that was not configured ends the program.
#pragma once

namespace signstep {

// False where the processor has matrix units, and where it lacks AVX-512 or its bf16.
bool matrix_units_emulated();

}  // namespace signstep
