// SPDX-License-Identifier: Apache-2.0
#include "signstep/c/optimizer_state.h"

#include "signstep/base/error.h"
#include "signstep/io/config.h"
#include "signstep/io/json_text.h"
#include "signstep/random/random.h"

namespace signstep {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFormat = "signstep optimizer 1";
constexpr const char* kName = "state";
constexpr JsonLimits kLimits{.values = size_t{1} << 24};

SavedNumbers read_fields(const JsonFields& fields) {
  SavedNumbers out;
  out.steps = fields.get<uint64_t>("steps");
  out.state.dither.rms = fields.get<std::vector<double>>("dither_rms");
  const JsonFields within = fields.object("switch");
  // Before it becomes an enumerator of fewer bits.
  if (within.get<uint64_t>("phase") > static_cast<uint64_t>(SwitchPhase::kSgd))
    throw DataError("state: switch.phase is none; it is damaged, use another");
  visit_fields(out.state.switching,
               [&](const char* name, auto& value) { value = within.get<std::decay_t<decltype(value)>>(name); });
  if (out.steps >= kMostSteps) throw DataError("state: steps is not below 2^48; it is damaged, use another");
  return out;
}

}  // namespace

std::string write_state(const SavedNumbers& numbers, const SignRunOptions& options) {
  ordered_json json;
  json["format"] = kFormat;
  SignRunOptions copy = options;
  OptionList list;
  describe(list, copy);
  json["options"] = to_json(list);
  json["steps"] = numbers.steps;
  json["dither_rms"] = numbers.state.dither.rms;
  json["switch"] = ordered_json::object();
  visit_fields(numbers.state.switching, [&](const char* name, const auto& value) { json["switch"][name] = value; });
  return json_text(json);
}

SavedNumbers read_state(const std::string& text, const SignRunOptions& options, const UpdatePlan& plan,
                        size_t tensors) {
  try {
    const ordered_json json = parse_json(text, kName, kLimits);
    const JsonFields fields(json, kName);
    if (const auto format = fields.get<std::string>("format"); format != kFormat)
      throw CheckpointError(
          fmt::format("the state's format is '{}'; wanted '{}'; use one that was saved by an "
                      "optimizer of signstep",
                      format, kFormat));
    SignRunOptions saved;
    OptionList list;
    describe(list, saved);
    from_json(nlohmann::json::parse(fields.get<ordered_json>("options").dump()), list);
    if (const std::string unlike = difference(options, saved); !unlike.empty())
      throw CheckpointError(
          fmt::format("{}, as in the state; make the optimizer with the options of the saved one", unlike));
    SavedNumbers out = read_fields(fields);
    require_fit(out.state.dither, plan.dither, tensors);
    require_fit(out.state.switching, plan.switching, tensors);
    return out;
  } catch (const DataError& e) {
    throw CheckpointError(e.what());
  } catch (const OptionError& e) {
    throw CheckpointError(fmt::format("the state holds an option that cannot be ({}); use another", e.what()));
  }
}

}  // namespace signstep
