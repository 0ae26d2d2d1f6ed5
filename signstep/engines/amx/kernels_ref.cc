// SPDX-License-Identifier: Apache-2.0
// The specification: plain loops over single values. Sums are in double where the fast kernels use float, so the two
// agree to float's rounding and not to the bit.
#include <array>
#include <cmath>

#include "signstep/engines/amx/kernels.h"

namespace signstep::amx {
namespace {

float at(const Tiles& t, int64_t group, int64_t pixel, int64_t image, int64_t channel) {
  return widen(t.unit(group, pixel, channel / kSide)[image * kSide + channel % kSide]);
}

// The weight for result channel n and summed channel k, in a packed operand.
Bf16& packed(Bf16* units, int64_t n, int64_t tap, int64_t k, int64_t taps, int64_t k_blocks) {
  Bf16* unit = units + ((n / kSide * taps + tap) * k_blocks + k / kSide) * kUnit;
  const int64_t half = n % kSide / 16, pair = k % kSide / 2;
  return unit[half * 512 + pair * kSide + n % 16 * 2 + k % 2];
}

void pack(const PackJob& job, int64_t out_block) {
  const int64_t out_blocks = blocks_of(job.out), in_blocks = blocks_of(job.in);
  for (int64_t o = out_block * kSide; o < (out_block + 1) * kSide; ++o)
    for (int64_t tap = 0; tap < job.taps; ++tap)
      for (int64_t i = 0; i < in_blocks * kSide; ++i) {
        const bool real = o < job.out && i < job.in;
        const Bf16 w = real ? narrow(job.weights[(o * job.taps + tap) * job.in + i]) : Bf16{0};
        packed(job.forward, o, tap, i, job.taps, in_blocks) = w;
        if (job.backward) packed(job.backward, i, tap, o, job.taps, out_blocks) = w;
      }
}

double convolved(std::span<const Source> sources, int64_t group, int64_t pixel, int64_t image, int64_t channel) {
  double sum = 0;
  for (const Source& s : sources)
    for (const Term& term : s.terms->of(pixel))
      for (int64_t k = 0; k < s.in.blocks * kSide; ++k)
        sum += static_cast<double>(at(s.in, group, term.pixel, image, k)) *
               widen(packed(const_cast<Bf16*>(s.weights), channel, term.tap, k, s.taps, s.in.blocks));
  return sum;
}

void conv_row(const ConvJob& job, const Part& part, int64_t row) {
  const int64_t group = part.group, rows = job.out.pixels / job.width, valid = valid_rows(job.images, group);
  for (int64_t c = part.first_block * kSide; c < part.last_block * kSide; ++c) {
    double pivot = 0, sum = 0, squares = 0;
    for (int64_t x = 0; x < job.width; ++x)
      for (int64_t image = 0; image < kSide; ++image) {
        const int64_t pixel = row * job.width + x;
        const double v = convolved(job.sources, group, pixel, image, c);
        job.out.unit(group, pixel, c / kSide)[image * kSide + c % kSide] = narrow(static_cast<float>(v));
        if (image >= valid) continue;
        if (x == 0 && image == 0) pivot = v;
        sum += v - pivot;
        squares += (v - pivot) * (v - pivot);
      }
    if (job.sums == nullptr) continue;
    float* sums = job.sums + ((group * rows + row) * job.out.blocks + c / kSide) * kSums + c % kSide;
    sums[0] = static_cast<float>(pivot);
    sums[kSide] = static_cast<float>(sum);
    sums[2 * kSide] = static_cast<float>(squares);
  }
}

void conv(const ConvJob& job, const Part& part) {
  for (int64_t row = part.first_row; row < part.last_row; ++row) conv_row(job, part, row);
}

// gradient(pixel, image, channel) is the gradient at z.
template <class F>
void finish_gradient(const GradientEpilogue& e, const Part& part, int64_t row, F&& gradient) {
  const int64_t group = part.group, rows = e.out.pixels / e.width, valid = valid_rows(e.images, group);
  for (int64_t c = part.first_block * kSide; c < part.last_block * kSide; ++c) {
    std::array<double, 3> total{};
    for (int64_t x = 0; x < e.width; ++x)
      for (int64_t image = 0; image < kSide; ++image) {
        const int64_t pixel = row * e.width + x;
        double v = gradient(pixel, image, c);
        if (e.add.data) v += at(e.add, group, pixel, image, c);
        if (image >= valid || !(at(e.z, group, pixel, image, c) > 0)) v = 0;
        e.out.unit(group, pixel, c / kSide)[image * kSide + c % kSide] = narrow(static_cast<float>(v));
        total[0] += v;
        total[1] += v * (at(e.y0, group, pixel, image, c) - e.mean0[c]);
        if (e.y1.data) total[2] += v * (at(e.y1, group, pixel, image, c) - e.mean1[c]);
      }
    float* sums = e.sums + ((group * rows + row) * e.out.blocks + c / kSide) * kSums + c % kSide;
    for (size_t i = 0; i < 3; ++i) sums[static_cast<int64_t>(i) * kSide] = static_cast<float>(total[i]);
  }
}

void data_gradient(const DataGradientJob& job, const Part& part) {
  for (int64_t row = part.first_row; row < part.last_row; ++row)
    finish_gradient(job.epilogue, part, row, [&](int64_t pixel, int64_t image, int64_t c) {
      return convolved(job.sources, part.group, pixel, image, c);
    });
}

void pool_gradient(const PoolGradientJob& job, int64_t group, int64_t row) {
  const Part part{group, row, row + 1, 0, job.epilogue.out.blocks};
  finish_gradient(job.epilogue, part, row, [&](int64_t, int64_t image, int64_t c) -> double {
    return job.gradient[(group * kSide + image) * job.epilogue.out.blocks * kSide + c];
  });
}

// One weight's sum over the pieces of a chunk.
double weight_sum(const WeightGradientJob& job, int64_t chunk, int64_t tap, int64_t out, int64_t in) {
  const int64_t pieces = job.bands->count(job.in.groups);
  double sum = 0;
  for (int64_t index = chunk * pieces / job.chunks; index < (chunk + 1) * pieces / job.chunks; ++index) {
    const Bands::Piece piece = job.bands->piece(index, job.in.groups);
    for (int64_t group = piece.first_group; group < piece.first_group + piece.groups; ++group)
      for (const Band::Pair& pair : piece.band->taps[static_cast<size_t>(tap)])
        for (int64_t image = 0; image < kSide; ++image)
          sum += static_cast<double>(
                     at(job.dy, group, piece.band->outputs[static_cast<size_t>(pair.output)], image, out)) *
                 at(job.in, group, piece.band->inputs[static_cast<size_t>(pair.input)], image, in);
  }
  return sum;
}

void weight_gradient(const WeightGradientJob& job, int64_t column, int64_t chunk, std::byte*) {
  const int64_t last = std::min((column + 1) * kOutBlocksPerTask, job.dy.blocks);
  for (int64_t o = column * kOutBlocksPerTask * kSide; o < last * kSide; ++o)
    for (int64_t i = 0; i < job.in.blocks * kSide; ++i)
      for (int64_t tap = 0; tap < job.taps; ++tap) {
        const int64_t unit = ((chunk * job.dy.blocks + o / kSide) * job.in.blocks + i / kSide) * job.taps + tap;
        job.partial[unit * kUnit + o % kSide * kSide + column_of(i % kSide)] =
            static_cast<float>(weight_sum(job, chunk, tap, o, i));
      }
}

void sum_weight_gradient(const WeightGradientJob& job, int64_t out_block) {
  for (int64_t o = out_block * kSide; o < std::min(job.out, (out_block + 1) * kSide); ++o)
    for (int64_t tap = 0; tap < job.taps; ++tap)
      for (int64_t i = 0; i < job.columns; ++i) {
        float sum = 0;
        for (int64_t chunk = 0; chunk < job.chunks; ++chunk) {
          const int64_t unit = ((chunk * job.dy.blocks + out_block) * job.in.blocks + i / kSide) * job.taps + tap;
          sum += job.partial[unit * kUnit + o % kSide * kSide + column_of(i % kSide)];
        }
        job.gradient[(o * job.taps + tap) * job.columns + i] = sum;
      }
}

// out = value(block, index in the unit, channel) at every image; 0 in the padding.
template <class F>
void for_each_value(const Tiles& out, int64_t width, int64_t images, int64_t group, int64_t row, F&& value) {
  for (int64_t x = 0; x < width; ++x)
    for (int64_t block = 0; block < out.blocks; ++block)
      for (int64_t i = 0; i < kUnit; ++i) {
        const int64_t pixel = row * width + x;
        const bool real = i / kSide < valid_rows(images, group);
        out.unit(group, pixel, block)[i] = real ? narrow(value(pixel, i / kSide, block * kSide + i % kSide)) : Bf16{0};
      }
}

void normalize(const NormalizeJob& job, int64_t group, int64_t row) {
  for_each_value(job.out, job.width, job.images, group, row, [&](int64_t pixel, int64_t image, int64_t c) {
    float v = std::fma(at(job.y, group, pixel, image, c), job.scale[c], job.shift[c]);
    if (job.residual.data) {
      const float r = at(job.residual, group, pixel, image, c);
      v += job.residual_scale ? std::fma(r, job.residual_scale[c], job.residual_shift[c]) : r;
    }
    return v < 0 ? 0.0f : v;  // a NaN stays
  });
}

void norm_gradient(const NormGradientJob& job, int64_t group, int64_t row) {
  for_each_value(job.out, job.width, job.images, group, row, [&](int64_t pixel, int64_t image, int64_t c) {
    return std::fma(at(job.g, group, pixel, image, c), job.a[c],
                    std::fma(at(job.y, group, pixel, image, c), job.b[c], job.c[c]));
  });
}

}  // namespace

int64_t weight_gradient_scratch(const Bands& bands) {
  return static_cast<int64_t>(bands.largest() * sizeof(Bf16)) * kOutBlocksPerTask * kUnit;
}

const Kernels& reference_kernels() {
  static const Kernels kernels{"reference",         pack,          conv,
                               data_gradient,       pool_gradient, weight_gradient,
                               sum_weight_gradient, normalize,     norm_gradient};
  return kernels;
}

}  // namespace signstep::amx
