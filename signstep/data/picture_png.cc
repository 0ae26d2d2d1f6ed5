// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/error.h"
#include "signstep/data/picture_formats.h"

#ifdef SIGNSTEP_PNG
#include <png.h>

#include <cstring>

namespace signstep {

bool can_read_png() { return true; }

Picture decode_png(std::span<const uint8_t> bytes, const std::string& path) {
  png_image image;
  std::memset(&image, 0, sizeof(image));
  image.version = PNG_IMAGE_VERSION;
  const auto fail = [&] {
    const std::string what = image.message;
    png_image_free(&image);
    throw DataError(fmt::format("{} is a damaged PNG file: {}; save it again, or leave it out", path, what));
  };
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) fail();
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // 16 bits without a gamma are taken for linear light else
  try {
    require_picture_size(image.width, image.height, path);
  } catch (const DataError&) {
    png_image_free(&image);
    throw;
  }
  image.format = PNG_FORMAT_RGB;
  Picture picture{static_cast<int>(image.height), static_cast<int>(image.width), {}};
  picture.rgb.resize(PNG_IMAGE_SIZE(image));
  const png_color white = {255, 255, 255};
  if (!png_image_finish_read(&image, &white, picture.rgb.data(), 0, nullptr)) fail();
  return picture;
}

}  // namespace signstep
#else
namespace signstep {

bool can_read_png() { return false; }

Picture decode_png(std::span<const uint8_t>, const std::string& path) {
  throw DataError(
      fmt::format("{} is a PNG file, and this program was built without libpng; install libpng-dev and "
                  "build it again, or give JPEG files",
                  path));
}

}  // namespace signstep
#endif
