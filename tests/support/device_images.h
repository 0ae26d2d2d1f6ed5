// SPDX-License-Identifier: Apache-2.0
// A raw batch's images by the library that SIGNSTEP_CUDA_LIBRARY names.
#pragma once

#include <algorithm>
#include <vector>

#include "signstep/cuda/device_floats.h"
#include "signstep/data/batch.h"

namespace signstep {

inline std::vector<float> device_images(const Batch& b) {
  const auto words = [](size_t bytes) { return (bytes + sizeof(float) - 1) / sizeof(float); };
  const auto there = [&](DeviceFloats& array, const void* data, size_t bytes) {
    std::vector<float> copy(words(bytes));
    std::copy_n(static_cast<const char*>(data), bytes, reinterpret_cast<char*>(copy.data()));
    array.write(copy, nullptr);
  };
  const RawImages& raw = b.raw;
  const size_t window_bytes = raw.windows.size() * sizeof(Window);
  const size_t table_bytes = raw.tables->size() * sizeof raw.tables->front();
  std::vector<float> images(b.count * static_cast<size_t>(b.height * b.width * b.channels));
  DeviceFloats pixels(0, words(raw.pixels.size())), windows(0, words(window_bytes)), tables(0, words(table_bytes)),
      out(0, images.size());
  there(pixels, raw.pixels.data(), raw.pixels.size());
  there(windows, raw.windows.data(), window_bytes);
  there(tables, raw.tables->data(), table_bytes);
  const RenderArguments arguments{.shape = {b.channels, raw.height, raw.width, b.height, b.width},
                                  .count = b.count,
                                  .pixels = reinterpret_cast<const uint8_t*>(pixels.data()),
                                  .windows = reinterpret_cast<const Window*>(windows.data()),
                                  .tables = tables.data(),
                                  .out = out.data()};
  require_success(device_calls(), device_calls().render(0, nullptr, &arguments), "a test's images");
  out.read(images, nullptr);
  return images;
}

}  // namespace signstep
