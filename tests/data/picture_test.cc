// SPDX-License-Identifier: Apache-2.0
// PNG and JPEG files as pictures, and pictures in the size of a network.
#include "signstep/data/picture.h"

#include <gmock/gmock.h>

#ifdef SIGNSTEP_JPEG
#include <cstdio>
// stdio.h comes first
#include <jpeglib.h>
#endif

#include "signstep/base/error.h"
#include "tests/data/fixtures.h"
#include "tests/support/png.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

#define SKIP_WITHOUT(can_read, library) \
  if (!can_read()) GTEST_SKIP() << "built without " library ", so its files were NOT read"

Bytes noise(size_t count) {
  SequentialRandom random(Stream(1, Purpose::kProblem));
  Bytes bytes;
  for (size_t i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(random.below(256)));
  return bytes;
}

// Cut anywhere, a file is damaged or, where only what comes after the pixels is gone, the same.
void expect_no_prefix_to_be_another(const Bytes& whole) {
  const Picture picture = decode_picture(whole, "whole");
  for (size_t length = 0; length < whole.size(); ++length) {
    try {
      EXPECT_EQ(decode_picture(std::span(whole).first(length), "cut").rgb, picture.rgb) << length;
      EXPECT_GT(length + 16, whole.size());
    } catch (const DataError&) {
    }
  }
}

// Any bytes are a picture of their size, or DataError.
void expect_damage_to_be_told(const Bytes& whole) {
  SequentialRandom random(Stream(7, Purpose::kProblem));
  for (int trial = 0; trial < 500; ++trial) {
    Bytes bytes = whole;
    for (int i = 0; i < 3; ++i)
      bytes[random.below(static_cast<uint32_t>(bytes.size()))] = static_cast<uint8_t>(random.below(256));
    try {
      const Picture p = decode_picture(bytes, "damaged");
      EXPECT_EQ(p.rgb.size(), size_t(p.height) * size_t(p.width) * 3);
    } catch (const DataError&) {
    }
  }
}

TEST(PictureTest, PngOfEveryKindOfColour) {
  SKIP_WITHOUT(can_read_png, "libpng");
  const Bytes pixels = noise(3 * 2 * 3);
  const Picture rgb = decode_picture(png_bytes(3, 2, 2, pixels), "a");
  EXPECT_EQ(rgb.height, 2);
  EXPECT_EQ(rgb.width, 3);
  EXPECT_EQ(rgb.rgb, pixels);
  EXPECT_THAT(decode_picture(png_bytes(2, 1, 0, {0, 200}), "a").rgb, ElementsAre(0, 0, 0, 200, 200, 200));
  Bytes twice;  // of 16 bits: 0x40 is 0x4040
  for (const uint8_t value : pixels) twice.insert(twice.end(), 2, value);
  EXPECT_EQ(decode_picture(png_bytes(3, 2, 2, twice, 16), "a").rgb, pixels);
  // Opaque, and wholly transparent.
  EXPECT_THAT(decode_picture(png_bytes(2, 1, 6, {1, 2, 3, 255, 1, 2, 3, 0}), "a").rgb,
              ElementsAre(1, 2, 3, 255, 255, 255));
}

TEST(PictureTest, DamagedPng) {
  SKIP_WITHOUT(can_read_png, "libpng");
  const Bytes whole = png_bytes(9, 7, 2, noise(9 * 7 * 3));
  expect_no_prefix_to_be_another(whole);
  expect_damage_to_be_told(whole);
  EXPECT_THAT(message_of<DataError>([&] { decode_picture(std::span(whole).first(60), "cat.png"); }),
              HasSubstr("cat.png is a damaged PNG file"));
  EXPECT_THAT(message_of<DataError>([&] { decode_picture(png_bytes(20000, 4, 2, {}), "wide.png"); }),
              HasSubstr("wide.png has 20000 x 4 pixels; wanted sides of 1 to 16384"));
  EXPECT_THAT(message_of<DataError>([&] { decode_picture(png_bytes(16384, 16384, 2, {}), "big.png"); }),
              HasSubstr("at most 67108864 in all"));
}

#ifdef SIGNSTEP_JPEG
Bytes jpeg_bytes(unsigned width, unsigned height, Bytes pixels, int inks = 3) {
  jpeg_compress_struct state;
  jpeg_error_mgr errors;
  state.err = jpeg_std_error(&errors);
  jpeg_create_compress(&state);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&state, &memory, &size);
  state.image_width = width;
  state.image_height = height;
  state.input_components = inks;
  state.in_color_space = inks == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&state);
  jpeg_set_quality(&state, 95, TRUE);
  jpeg_start_compress(&state, TRUE);
  while (state.next_scanline < height) {
    JSAMPROW row = pixels.data() + size_t{state.next_scanline} * width * static_cast<size_t>(inks);
    jpeg_write_scanlines(&state, &row, 1);
  }
  jpeg_finish_compress(&state);
  const Bytes bytes(memory, memory + size);
  jpeg_destroy_compress(&state);
  std::free(memory);
  return bytes;
}

TEST(PictureTest, Jpeg) {
  Bytes blue;
  for (int i = 0; i < 20 * 12; ++i) blue.insert(blue.end(), {10, 40, 200});
  const Bytes whole = jpeg_bytes(20, 12, blue);
  const Picture p = decode_picture(whole, "a");
  EXPECT_EQ(p.height, 12);
  EXPECT_EQ(p.width, 20);
  for (size_t i = 0; i < blue.size(); ++i) ASSERT_NEAR(p.rgb[i], blue[i], 3) << i;
  Bytes odd = whole;
  odd[11] = 2;                                                                     // the version of JFIF
  odd.insert(odd.end() - 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});  // before the end
  EXPECT_EQ(decode_picture(odd, "odd").rgb, p.rgb) << "as every reader takes it";
  expect_no_prefix_to_be_another(whole);
  expect_damage_to_be_told(jpeg_bytes(20, 12, noise(20 * 12 * 3)));
  EXPECT_THAT(message_of<DataError>([&] { decode_picture(std::span(whole).first(whole.size() / 2), "cat.jpg"); }),
              HasSubstr("cat.jpg is a damaged JPEG file"));
  EXPECT_THAT(message_of<DataError>([&] { decode_picture(jpeg_bytes(8, 8, noise(8 * 8 * 4), 4), "print.jpg"); }),
              HasSubstr("print.jpg is a JPEG file in CMYK"));
}
#endif

TEST(PictureTest, WhatIsNoPicture) {
  const Bytes text = {'G', 'I', 'F', '8', '9', 'a'};
  EXPECT_THAT(message_of<DataError>([&] { decode_picture(text, "a.gif"); }), HasSubstr("a.gif is no picture"));
  EXPECT_THROW(decode_picture({}, "empty"), DataError);
  EXPECT_THROW(read_picture("/nowhere/at/all.png"), DataError);
}

TEST(PictureTest, Resizing) {
  const Picture two{1, 2, {0, 0, 0, 200, 100, 50}};
  EXPECT_EQ(resized(two, 1, 2).rgb, two.rgb);
  // The middle square of a line of three.
  EXPECT_THAT(resized({1, 3, {1, 1, 1, 2, 2, 2, 3, 3, 3}}, 1, 1).rgb, ElementsAre(2, 2, 2));
  // Half the size: each pixel the mean of its own two, and half as much of the neighbours': weights 1 3 3 1.
  const Picture four{4, 4, Bytes(48, 80)};
  EXPECT_EQ(resized(four, 2, 2).rgb, Bytes(12, 80));
  const Picture step{1, 4, {0, 0, 0, 0, 0, 0, 80, 80, 80, 80, 80, 80}};
  EXPECT_THAT(resized({4, 4,
                       [&] {
                         Bytes rows;
                         for (int i = 0; i < 4; ++i) rows.insert(rows.end(), step.rgb.begin(), step.rgb.end());
                         return rows;
                       }()},
                      2, 2)
                  .rgb,
              ElementsAre(11, 11, 11, 69, 69, 69, 11, 11, 11, 69, 69, 69));  // 80/7 and 480/7
  // Twice the size: linear between the centres.
  const Picture grown = resized({2, 2, {0, 0, 0, 100, 100, 100, 0, 0, 0, 100, 100, 100}}, 4, 4);
  EXPECT_THAT(Bytes(grown.rgb.begin(), grown.rgb.begin() + 12),
              ElementsAre(0, 0, 0, 25, 25, 25, 75, 75, 75, 100, 100, 100));
}

TEST(PictureTest, Planes) {
  const Picture p{1, 2, {10, 20, 30, 255, 255, 255}};
  EXPECT_THAT(planes(p, 3), ElementsAre(10, 255, 20, 255, 30, 255));
  EXPECT_THAT(planes(p, 1), ElementsAre(18, 255));  // 2.99 + 11.74 + 3.42
}

}  // namespace
}  // namespace signstep
