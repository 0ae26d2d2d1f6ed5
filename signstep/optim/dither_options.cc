// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/dither_options.h"

#include "signstep/base/error.h"
#include "signstep/optim/shared_options.h"

namespace signstep {
namespace {

void refuse_when_off(const char* name, const std::optional<double>& value) {
  if (!value) return;
  throw OptionError(fmt::format("{} is {} and dither is none; choose a dither, or leave {} out", name, *value, name));
}

double final_by_shape(DitherShape shape, double level) {
  switch (shape) {
    case DitherShape::kConstant: return level;
    case DitherShape::kLinear:
    case DitherShape::kCosine: return 0;
    case DitherShape::kInverseSqrt: return level / 10;  // of which a hundredth would be reached in no time
    default: return level / 100;
  }
}

void check_place(const DitherOptions& o) {
  if (o.dither_on == DitherOn::kUpdate || o.dither_on == DitherOn::kMean) return;
  const char* place = o.dither_on == DitherOn::kPost ? "post" : "gradient";
  const char* what = o.dither == DitherKind::kMaximum          ? "dither is maximum"
                     : o.dither_noise == DitherNoise::kUniform ? "dither_noise is uniform"
                                                               : nullptr;
  if (what == nullptr) return;
  throw OptionError(fmt::format(
      "{} and dither_on {}; wanted it on the update or as its mean; choose dither_on update or mean", what, place));
}

}  // namespace

bool keeps_maximum(const DitherOptions& o) { return o.dither == DitherKind::kMaximum; }

void describe(OptionList& list, DitherOptions& o) {
  list.group("Dither");
  list.choice(
          "dither", o.dither, {"none", "relative", "absolute", "maximum"},
          "noise before the sign: relative to each tensor's rms, of an absolute size, or relative to each coordinate's "
          "largest update so far")
      .role(Role::kCommon);
  list.number_or_auto("dither_level", o.dither_level, Range::at_least(0), "times the rms or maximum, or gradient units",
                      "where the annealing starts; auto: 1 for relative and maximum; absolute needs a number")
      .role(Role::kCommon);
  list.number_or_auto("dither_final", o.dither_final, Range::at_least(0), "like dither_level",
                      "where it ends; auto: 0 for linear and cosine, the level for constant, a hundredth of it for "
                      "exponential, a tenth for "
                      "inverse-sqrt");
  list.choice("dither_shape", o.dither_shape, {"constant", "linear", "cosine", "exponential", "inverse-sqrt"},
              "of the way from dither_level to dither_final");
  list.number("dither_until", o.dither_until, {.low = 0, .high = 1, .low_open = true}, "share of the run",
              "where dither_final is reached; the level stays there");
  list.choice("dither_on", o.dither_on, {"update", "gradient", "post", "mean"},
              "noise joins the update before its sign, the gradient before the moving average, or the sign; mean: no "
              "noise, but the "
              "mean of the dithered sign (the last two are ablations)");
  list.choice("dither_noise", o.dither_noise, {"gaussian", "uniform"},
              "of a standard deviation, or uniform of a half width, that the level gives");
}

DitherOptions resolved(DitherOptions o) {
  OptionList list;
  describe(list, o);
  list.validate();
  if (o.dither == DitherKind::kNone) {
    refuse_when_off("dither_level", o.dither_level);
    refuse_when_off("dither_final", o.dither_final);
    DitherOptions untouched;
    OptionList defaults;
    describe(defaults, untouched);
    refuse_changed(list, defaults, "dither is none; choose a dither");
    return o;
  }
  check_place(o);
  if (!o.dither_level) {
    if (o.dither == DitherKind::kAbsolute) {
      throw OptionError(
          "dither_level is auto and dither is absolute; wanted a number in units of the gradient, which no default "
          "fits; "
          "give one or choose dither relative");
    }
    o.dither_level = 1.0;
  }
  require_float("dither_level", o.dither_level);
  if (!o.dither_final) o.dither_final = final_by_shape(o.dither_shape, *o.dither_level);
  require_float("dither_final", o.dither_final);
  const bool geometric = o.dither_shape == DitherShape::kExponential || o.dither_shape == DitherShape::kInverseSqrt;
  if (geometric && !(*o.dither_level > 0 && *o.dither_final > 0)) {
    throw OptionError(fmt::format(
        "dither_level is {} and dither_final {}; wanted both greater than 0 for dither_shape exponential and "
        "inverse-sqrt, which never reach 0; raise them or choose linear or cosine",
        *o.dither_level, *o.dither_final));
  }
  if (o.dither_shape == DitherShape::kConstant && *o.dither_final != *o.dither_level) {
    throw OptionError(fmt::format(
        "dither_final is {} and dither_level {}; wanted one value for dither_shape constant; leave dither_final out or "
        "choose another shape",
        *o.dither_final, *o.dither_level));
  }
  return o;
}

}  // namespace signstep
