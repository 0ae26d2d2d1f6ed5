// SPDX-License-Identifier: Apache-2.0
#include "signstep/nn/tensor_info.h"

namespace signstep {
namespace {

// Calls f(place in row-major order, place in the flat buffer's order) for every element.
template <class F>
void for_each_place(const TensorInfo& t, F&& f) {
  const bool convolution = t.shape.size() == 4;
  const size_t in = convolution ? static_cast<size_t>(t.shape[1]) : 1;
  const size_t pixels = convolution ? static_cast<size_t>(t.shape[2] * t.shape[3]) : 1;
  const size_t outer = t.size / (in * pixels);
  size_t place = 0;
  for (size_t o = 0; o < outer; ++o)
    for (size_t i = 0; i < in; ++i)
      for (size_t p = 0; p < pixels; ++p) f(place++, t.offset + (o * pixels + p) * in + i);
}

}  // namespace

std::vector<float> row_major(const TensorInfo& tensor, std::span<const float> flat) {
  std::vector<float> out(tensor.size);
  for_each_place(tensor, [&](size_t place, size_t stored) { out[place] = flat[stored]; });
  return out;
}

void store_row_major(const TensorInfo& tensor, std::span<const float> values, std::span<float> flat) {
  for_each_place(tensor, [&](size_t place, size_t stored) { flat[stored] = values[place]; });
}

}  // namespace signstep
