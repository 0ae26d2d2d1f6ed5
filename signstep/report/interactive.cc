// SPDX-License-Identifier: Apache-2.0
#include "signstep/report/interactive.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"

namespace signstep {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDebians = "/usr/share/javascript/dygraphs/dygraph.min.js";
constexpr size_t kLargestLibrary = size_t{4} << 20;

// Six digits are more than a screen shows.
Json rounded(double value) {
  return std::isfinite(value) ? Json(std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr)) : Json();
}

Json rounded(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double v : values) out.push_back(rounded(v));
  return out;
}

Json rounded(const std::optional<double>& value) { return value ? rounded(*value) : Json(); }

const char* style_name(SeriesStyle style) {
  switch (style) {
    case SeriesStyle::kLine: return "line";
    case SeriesStyle::kDashed: return "dashed";
    case SeriesStyle::kDotted: return "dotted";
    case SeriesStyle::kDashDotted: return "dashdotted";
    case SeriesStyle::kFaint: return "faint";
    case SeriesStyle::kPoints: return "points";
    case SeriesStyle::kBars: return "bars";
    case SeriesStyle::kRings: return "rings";
    case SeriesStyle::kSquares: return "squares";
    case SeriesStyle::kLinePoints: return "linepoints";
  }
  return "line";
}

Json json_of(const Chart& chart) {
  Json out = {{"x", chart.x_label},           {"y", chart.y_label},
              {"logX", chart.log_x},          {"logY", chart.log_y},
              {"wholeX", chart.whole_x},      {"xLow", rounded(chart.x_low)},
              {"yLow", rounded(chart.y_low)}, {"yHigh", rounded(chart.y_high)},
              {"names", chart.x_names},       {"lines", Json::array()},
              {"markers", Json::array()},     {"series", Json::array()}};
  for (const Level& l : chart.levels) out["lines"].push_back({{"y", rounded(l.y)}, {"name", l.name}});
  for (const Marker& m : chart.markers)
    out["markers"].push_back({{"x", rounded(m.x)}, {"name", m.name}, {"color", chart_color(m.color)}});
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& s = chart.series[i];
    Json one = {{"name", s.name},
                {"of", s.of},
                {"style", style_name(s.style)},
                {"color", chart_color(s.color.value_or(i))},
                {"x", rounded(s.x)},
                {"y", rounded(s.y)}};
    if (!s.low.empty()) {
      one["low"] = rounded(s.low);
      one["high"] = rounded(s.high);
    }
    out["series"].push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::string chart_library() {
  const char* named = std::getenv("SIGNSTEP_DYGRAPHS");
  const std::string path = named != nullptr ? named : kDebians;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return "";
  std::string text;
  try {
    text = read_text_file(path, kLargestLibrary);
  } catch (const Error&) {
    return "";
  }
  // A script that could end its own element, or is none of ours, is not taken into a page.
  if (text.find("</script") != std::string::npos || text.find("Dygraph") == std::string::npos) return "";
  return text.substr(0, text.rfind("//# sourceMappingURL"));  // a page loads nothing
}

std::string interactive_chart(const Chart& chart) {
  std::string json = json_of(chart).dump(-1, ' ', false, Json::error_handler_t::replace);
  for (size_t at = 0; (at = json.find('<', at)) != std::string::npos; at += 6) json.replace(at, 1, "\\u003c");
  return fmt::format("<script type=\"application/json\" class=\"chart\">{}</script>\n", json);
}

}  // namespace signstep
