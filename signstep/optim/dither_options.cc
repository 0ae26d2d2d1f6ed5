// SPDX-License-Identifier: Apache-2.0
#include "signstep/optim/dither_options.h"

#include "signstep/core/error.h"

namespace signstep {
namespace {

void refuse_when_off(const char* name, const std::optional<double>& value) {
  if (!value) return;
  throw OptionError(fmt::format("{} is {} and dither is none; choose dither relative or absolute, or leave {} out",
                                name, *value, name));
}

double final_by_shape(DitherShape shape, double level) {
  switch (shape) {
    case DitherShape::kConstant:
      return level;
    case DitherShape::kLinear:
    case DitherShape::kCosine:
      return 0;
    default:
      return level / 100;
  }
}

}  // namespace

void describe(OptionList& list, DitherOptions& o) {
  list.group("Dither");
  list.choice("dither", o.dither, {"none", "relative", "absolute"},
              "Gaussian noise before the sign: relative to each tensor's rms, or of an absolute size");
  list.number_or_auto("dither_level", o.dither_level, Range::at_least(0), "times the rms, or gradient units",
                      "where the annealing starts; auto: 1 for relative; absolute needs a number");
  list.number_or_auto(
      "dither_final", o.dither_final, Range::at_least(0), "like dither_level",
      "where it ends; auto: 0 for linear and cosine, the level for constant, else a hundredth of the level");
  list.choice("dither_shape", o.dither_shape, {"constant", "linear", "cosine", "exponential", "inverse-sqrt"},
              "of the way from dither_level to dither_final");
  list.number("dither_until", o.dither_until, {.low = 0, .high = 1, .low_open = true}, "share of the run",
              "where dither_final is reached; the level stays there");
  list.choice(
      "dither_on", o.dither_on, {"update", "gradient", "post"},
      "noise joins the update before its sign, the gradient before the moving average, or the sign (an ablation)");
}

DitherOptions resolved(DitherOptions o) {
  OptionList list;
  describe(list, o);
  list.validate();
  if (o.dither == DitherKind::kNone) {
    refuse_when_off("dither_level", o.dither_level);
    refuse_when_off("dither_final", o.dither_final);
    return o;
  }
  if (!o.dither_level) {
    if (o.dither == DitherKind::kAbsolute) {
      throw OptionError(
          "dither_level is auto and dither is absolute; wanted a number in units of the gradient, which no default "
          "fits; "
          "give one or choose dither relative");
    }
    o.dither_level = 1.0;
  }
  if (!o.dither_final) o.dither_final = final_by_shape(o.dither_shape, *o.dither_level);
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
