// SPDX-License-Identifier: Apache-2.0
// Which pixels meet in a convolution, as lists made once per layer, so that kernels know neither stride nor padding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace signstep::amx {

// A square kernel, padded by kernel / 2 on each side. Pixels and taps are numbered row by row.
struct Geometry {
  int64_t height = 0, width = 0;  // of the input
  int64_t kernel = 1, stride = 1;

  int64_t out_height() const { return (height - 1) / stride + 1; }
  int64_t out_width() const { return (width - 1) / stride + 1; }
  int64_t pixels() const { return height * width; }
  int64_t out_pixels() const { return out_height() * out_width(); }
  int64_t taps() const { return kernel * kernel; }
};

struct Term {
  int32_t pixel, tap;
};

// For each pixel of one side, the pixels of the other that it is a sum over, and under which tap.
class Terms {
 public:
  static Terms forward(const Geometry& g);   // for each output pixel, of the input
  static Terms backward(const Geometry& g);  // for each input pixel, of the output
  std::span<const Term> of(int64_t pixel) const;

  // Whether neighbours in a row share all but their outer columns: 3x3 at stride 1. Backward meets the taps in reverse.
  bool slides() const { return slides_; }
  bool reversed() const { return reversed_; }
  int64_t height() const { return height_; }  // of the pixels
  int64_t width() const { return width_; }

 private:
  Terms(const std::vector<std::vector<Term>>& lists, const Geometry& g, bool reversed);
  bool slides_, reversed_;
  int64_t height_, width_;
  std::vector<Term> terms_;
  std::vector<size_t> first_;
};

// Some output pixels of an image, and all that the weight gradient needs to know of them.
struct Band {
  struct Pair {
    int32_t output, input;  // places in the two lists below
  };
  std::vector<int32_t> outputs, inputs;  // pixels
  std::vector<std::vector<Pair>> taps;   // for each tap, which meet
};

// Cuts images into bands, small enough that what a band touches of one block of channels stays in the second-level
// cache, and joins groups of small images, so that sums stay in registers for many products.
class Bands {
 public:
  explicit Bands(const Geometry& g);

  struct Piece {
    const Band* band;
    int64_t first_group, groups;
  };
  int64_t count(int64_t groups) const { return (groups + joined_ - 1) / joined_ * std::ssize(bands_); }
  Piece piece(int64_t index, int64_t groups) const;
  size_t largest() const;  // outputs + inputs of a piece

 private:
  std::vector<Band> bands_;
  int64_t joined_ = 1;  // groups
};

}  // namespace signstep::amx
