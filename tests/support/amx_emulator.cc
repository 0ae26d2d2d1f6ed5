// SPDX-License-Identifier: Apache-2.0
#include "tests/support/amx_emulator.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "signstep/base/cpu.h"
#include "signstep/engines/amx/fast_kernels.h"

namespace signstep {
namespace {

struct alignas(64) Tile {
  uint8_t row[16][64] = {};
};

// What LDTILECFG reads: palette 1 has eight tiles of up to 16 rows of up to 64 bytes.
struct TileShapes {
  uint8_t palette = 0, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileShapes) == 64);

thread_local TileShapes shapes;  // palette 0: no tile may be used
thread_local Tile tiles[8];

[[noreturn]] void refuse(const char* what) {
  std::fprintf(stderr, "amx emulator: %s\n", what);
  std::abort();
}

void require_tile(unsigned t) {
  if (shapes.palette != 1 || t > 7 || shapes.rows[t] == 0) refuse("a tile is used that was not configured");
}

// One instruction with a VEX prefix of three bytes: C4, ~R ~X ~B and the map, W ~vvvv L pp, opcode, ModRM, SIB, offset.
class Instruction {
 public:
  Instruction(const uint8_t* code, const greg_t* registers) : code_(code), registers_(registers) {}

  bool is_vex_0f38() const { return code_[0] == 0xc4 && (code_[1] & 0x1f) == 2; }
  unsigned prefix() const { return code_[2] & 3; }  // 0 none, 1: 66, 2: F3, 3: F2
  unsigned opcode() const { return code_[3]; }
  unsigned reg() const { return code_[4] >> 3 & 7; }
  unsigned rm() const { return code_[4] & 7; }
  unsigned vvvv() const { return ~(code_[2] >> 3) & 15; }
  bool in_memory() const { return code_[4] >> 6 != 3; }

  // Address without the index, which the tile instructions take for the distance of rows; sets length and stride.
  uint8_t* address(size_t& length, ptrdiff_t& stride) const {
    const unsigned mod = code_[4] >> 6;
    const bool extended_index = (code_[1] & 0x40) == 0, extended_base = (code_[1] & 0x20) == 0;
    length = 5;
    stride = 0;
    unsigned base = rm();
    bool has_base = !(mod == 0 && base == 5);
    if (base == 4) {
      const uint8_t sib = code_[length++];
      const unsigned index = (sib >> 3 & 7u) + (extended_index ? 8 : 0);
      if (index != 4) stride = static_cast<ptrdiff_t>(general(index)) << (sib >> 6);
      base = sib & 7;
      has_base = !(mod == 0 && base == 5);
    }
    ptrdiff_t at = has_base ? static_cast<ptrdiff_t>(general(base + (extended_base ? 8 : 0))) : 0;
    const bool from_next = !has_base && rm() == 5;  // counted from the next instruction
    if (mod == 1) {
      at += static_cast<int8_t>(code_[length]);
      length += 1;
    } else if (mod == 2 || !has_base) {
      int32_t offset = 0;
      std::memcpy(&offset, code_ + length, 4);
      at += offset;
      length += 4;
    }
    if (from_next) at += reinterpret_cast<ptrdiff_t>(code_ + length);
    return reinterpret_cast<uint8_t*>(at);
  }

 private:
  greg_t general(unsigned number) const {
    constexpr int kOrder[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return registers_[kOrder[number]];
  }

  const uint8_t* code_;
  const greg_t* registers_;
};

// TDPBF16PS: products of bf16 pairs, even and odd elements summed apart in float32, to nearest, subnormals as 0.
__attribute__((target("avx512f,avx512bw"))) void multiply(unsigned d, unsigned a, unsigned b) {
  for (const unsigned t : {d, a, b}) require_tile(t);
  const unsigned modes = _mm_getcsr();
  _mm_setcsr(0x9fc0);
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  for (size_t m = 0; m < shapes.rows[d]; ++m) {
    __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
    for (size_t k = 0; k < shapes.bytes_per_row[a] / 4u; ++k) {
      int pair = 0;
      std::memcpy(&pair, tiles[a].row[m] + 4 * k, 4);
      const __m512i left = _mm512_set1_epi32(pair), right = _mm512_load_si512(tiles[b].row[k]);
      even = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(left, 16)),
                             _mm512_castsi512_ps(_mm512_slli_epi32(right, 16)), even);
      odd = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(left, upper)),
                            _mm512_castsi512_ps(_mm512_and_si512(right, upper)), odd);
    }
    float* sums = reinterpret_cast<float*>(tiles[d].row[m]);
    _mm512_store_ps(sums, _mm512_add_ps(_mm512_load_ps(sums), _mm512_add_ps(even, odd)));
  }
  _mm_setcsr(modes);
}

// The length of the instruction, once done; 0 for one that is none of these.
size_t run(const Instruction& i) {
  size_t length = 5;
  ptrdiff_t stride = 0;
  if (!i.is_vex_0f38()) return 0;
  const unsigned tile = i.reg();
  if (i.opcode() == 0x49 && i.in_memory() && i.prefix() == 0) {  // LDTILECFG
    std::memcpy(&shapes, i.address(length, stride), sizeof shapes);
  } else if (i.opcode() == 0x49 && !i.in_memory() && i.prefix() == 0) {  // TILERELEASE
    shapes = {};
  } else if (i.opcode() == 0x49 && !i.in_memory() && i.prefix() == 3) {  // TILEZERO
    require_tile(tile);
    tiles[tile] = {};
  } else if (i.opcode() == 0x4b && i.in_memory() && i.prefix() != 0) {  // TILELOADD, TILELOADDT1, TILESTORED
    require_tile(tile);
    uint8_t* memory = i.address(length, stride);
    const bool store = i.prefix() == 2;
    if (!store) tiles[tile] = {};
    for (size_t r = 0; r < shapes.rows[tile]; ++r, memory += stride) {
      uint8_t* row = tiles[tile].row[r];
      std::memcpy(store ? memory : row, store ? row : memory, shapes.bytes_per_row[tile]);
    }
  } else if (i.opcode() == 0x5c && !i.in_memory() && i.prefix() == 2) {  // TDPBF16PS
    multiply(tile, i.rm(), i.vvvv());
  } else {
    return 0;
  }
  return length;
}

// Does those that follow each other at once: most of the time is the way here and back.
void on_illegal_instruction(int signal, siginfo_t*, void* context) {
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const greg_t begin = registers[REG_RIP];
  while (const size_t length = run(Instruction(reinterpret_cast<const uint8_t*>(registers[REG_RIP]), registers)))
    registers[REG_RIP] += static_cast<greg_t>(length);
  if (registers[REG_RIP] == begin) ::signal(signal, SIG_DFL);  // and it is met again
}

const bool emulated = [] {
  const CpuFeatures& cpu = cpu_features();
  if (cpu.amx_bf16 || !cpu.avx512 || !cpu.avx512_bf16) return false;
  struct sigaction action = {};
  action.sa_sigaction = on_illegal_instruction;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGILL, &action, nullptr) != 0) return false;
  amx::assume_matrix_units();
  std::fprintf(stderr, "This processor has no matrix units: their instructions are emulated one by one.\n");
  return true;
}();

}  // namespace

bool matrix_units_emulated() { return emulated; }

}  // namespace signstep
#else
bool signstep::matrix_units_emulated() { return false; }
#endif
