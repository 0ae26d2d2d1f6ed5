// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/error.h"
#include "signstep/data/picture_formats.h"

#ifdef SIGNSTEP_JPEG
#include <cstdio>
// libjpeg's header wants stdio.h before it
#include <jpeglib.h>
// and its codes want it before them
#include <jerror.h>

#include <csetjmp>

namespace signstep {
namespace {

// libjpeg's way out of an error is a jump, which passes no destructor: nothing that has one is made on the way.
struct Errors {
  jpeg_error_mgr manager;
  std::jmp_buf way_out;
  char message[JMSG_LENGTH_MAX];
  bool for_print;  // four inks, which is no damage
};

[[noreturn]] void leave(j_common_ptr state) {
  auto* errors = reinterpret_cast<Errors*>(state->err);
  state->err->format_message(state, errors->message);
  std::longjmp(errors->way_out, 1);
}

// Most of libjpeg's warnings are of damage: what is missing it would paint grey. Three are of what stands around the
// picture, and every reader takes such files: bytes before a marker, an odd version, an odd transform.
void warn(j_common_ptr state, int level) {
  const int what = state->err->msg_code;
  const bool harmless = what == JWRN_EXTRANEOUS_DATA || what == JWRN_JFIF_MAJOR || what == JWRN_ADOBE_XFORM;
  if (level < 0 && !harmless) leave(state);
}

// First the size alone, then the pixels; false with errors.message where that fails.
bool decode(Errors& errors, std::span<const uint8_t> bytes, unsigned& width, unsigned& height, uint8_t* pixels) {
  jpeg_decompress_struct state;
  state.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = leave;
  errors.manager.emit_message = warn;
  errors.manager.output_message = [](j_common_ptr) {};
  if (setjmp(errors.way_out) != 0) {
    jpeg_destroy_decompress(&state);
    return false;
  }
  jpeg_create_decompress(&state);
  jpeg_mem_src(&state, bytes.data(), bytes.size());
  jpeg_read_header(&state, TRUE);
  width = state.image_width;
  height = state.image_height;
  errors.for_print = state.jpeg_color_space == JCS_CMYK || state.jpeg_color_space == JCS_YCCK;
  if (errors.for_print) {
    jpeg_destroy_decompress(&state);
    return false;
  }
  if (pixels != nullptr) {
    state.out_color_space = JCS_RGB;
    state.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&state);
    while (state.output_scanline < state.output_height) {
      JSAMPROW row = pixels + static_cast<size_t>(state.output_scanline) * width * 3;
      jpeg_read_scanlines(&state, &row, 1);
    }
    jpeg_finish_decompress(&state);
  }
  jpeg_destroy_decompress(&state);
  return true;
}

}  // namespace

bool can_read_jpeg() { return true; }

Picture decode_jpeg(std::span<const uint8_t> bytes, const std::string& path) {
  Errors errors{};
  unsigned width = 0, height = 0;
  const auto require = [&](bool done) {
    if (errors.for_print)
      throw DataError(
          fmt::format("{} is a JPEG file in CMYK, for print; wanted RGB or grey: convert it, or leave it out", path));
    if (!done)
      throw DataError(
          fmt::format("{} is a damaged JPEG file: {}; save it again, or leave it out", path, errors.message));
  };
  require(decode(errors, bytes, width, height, nullptr));
  require_picture_size(width, height, path);
  Picture picture{static_cast<int>(height), static_cast<int>(width), {}};
  picture.rgb.resize(size_t{width} * height * 3);
  require(decode(errors, bytes, width, height, picture.rgb.data()));
  return picture;
}

}  // namespace signstep
#else
namespace signstep {

bool can_read_jpeg() { return false; }

Picture decode_jpeg(std::span<const uint8_t>, const std::string& path) {
  throw DataError(
      fmt::format("{} is a JPEG file, and this program was built without libjpeg; install libjpeg-dev and "
                  "build it again, or give PNG files",
                  path));
}

}  // namespace signstep
#endif
