// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/checkpoint.h"

#include <cstring>
#include <deque>

#include "signstep/core/error.h"
#include "signstep/io/safetensors.h"

namespace signstep {
namespace {

constexpr const char* kStateKey = "signstep.state";
constexpr int kVersion = 1;

// Tensors on their way into a file, with the copies that their bytes lie in.
struct Outgoing {
  std::vector<TensorEntry> entries;
  std::deque<std::vector<float>> copies;

  void append(const std::string& prefix, const std::vector<TensorInfo>& list, std::span<const float> flat) {
    for (const TensorInfo& t : list) {
      copies.push_back(row_major(t, flat));
      entries.push_back({prefix + t.name, "F32", t.shape, std::as_bytes(std::span(copies.back()))});
    }
  }
};

nlohmann::ordered_json sign_state_json(const SignState& state) {
  nlohmann::ordered_json out = {{"dither_rms", state.dither.rms}};
  visit_fields(state.switching, [&](const char* name, const auto& value) { out["switch"][name] = value; });
  return out;
}

void read_sign_state(const nlohmann::ordered_json& json, SignState& state) {
  json.at("dither_rms").get_to(state.dither.rms);
  visit_fields(state.switching, [&](const char* name, auto& value) { json.at("switch").at(name).get_to(value); });
}

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

// Copies the named tensors into a flat buffer of the list's layout.
std::vector<float> collect(const SafetensorsFile& file, const std::string& path, const std::string& prefix,
                           const std::vector<TensorInfo>& list, size_t elements) {
  std::vector<float> flat(elements);
  for (const TensorInfo& t : list) {
    const TensorEntry* entry = file.find(prefix + t.name);
    if (entry == nullptr) {
      throw CheckpointError(fmt::format("{} has no tensor {}; it belongs to another network or optimizer: use the "
                                        "options that it was trained with", path, prefix + t.name));
    }
    if (entry->dtype != "F32" || entry->shape != t.shape) {
      throw CheckpointError(fmt::format("{}: tensor {} is {} {}; this network wants F32 {}: use the width, classes and "
                                        "norm that it was trained with", path, entry->name, entry->dtype,
                                        shape_text(entry->shape), shape_text(t.shape)));
    }
    std::vector<float> values(t.size);
    std::memcpy(values.data(), entry->bytes.data(), entry->bytes.size());
    store_row_major(t, values, flat);
  }
  return flat;
}

nlohmann::ordered_json state_of(const SafetensorsFile& file, const std::string& path) {
  const auto found = file.metadata().find(kStateKey);
  if (found == file.metadata().end() || !file.has_checksum()) {
    throw CheckpointError(fmt::format("{} holds no training state; it is not a checkpoint of signstep: "
                                      "start from its weights with --init", path));
  }
  nlohmann::ordered_json state = nlohmann::ordered_json::parse(found->second, nullptr, false);
  if (!state.is_object() || state.value("version", 0) != kVersion) {
    throw CheckpointError(fmt::format("{} has a state of another format version; this program reads version {}", path, kVersion));
  }
  return state;
}

}  // namespace

void save_checkpoint(const std::string& path, Engine& engine, const OptimizerState& optimizer,
                     const TrainProgress& progress, const nlohmann::ordered_json& config) {
  const NetworkShape& shape = engine.shape();
  Outgoing out;
  out.append("", shape.parameters, engine.values());
  out.append("", shape.buffers, engine.buffers());
  if (!optimizer.m.empty()) out.append("optimizer.m.", shape.parameters, optimizer.m);
  if (!optimizer.v.empty()) out.append("optimizer.v.", shape.parameters, optimizer.v);
  const nlohmann::ordered_json state = {
      {"version", kVersion},
      {"config", config},
      {"optimizer_step", optimizer.step},
      {"sign", sign_state_json(optimizer.sign)},
      {"epoch", progress.epoch},
      {"batch", progress.batch},
      {"loss_sum", progress.loss_sum},
      {"images", progress.images},
      {"correct", progress.correct},
      {"nonfinite", progress.nonfinite},
      {"train_seconds", progress.train_seconds},
      {"curve", progress.curve},
      {"metrics", progress.metrics},
  };
  write_safetensors(path, out.entries, {{kStateKey, state.dump()}, {"format", "pt"}});
}

void load_checkpoint(const std::string& path, const UpdatePlan& plan, Engine& engine, OptimizerState& optimizer,
                     TrainProgress& progress) {
  const SafetensorsFile file(path);
  const nlohmann::ordered_json state = state_of(file, path);
  const NetworkShape& shape = engine.shape();
  const auto values = collect(file, path, "", shape.parameters, shape.parameter_elements);
  const auto buffers = collect(file, path, "", shape.buffers, shape.buffer_elements);
  const auto load = [&](const char* prefix, const std::vector<float>& like) {
    return like.empty() ? std::vector<float>() : collect(file, path, prefix, shape.parameters, shape.parameter_elements);
  };
  OptimizerState restored;
  restored.m = load("optimizer.m.", optimizer.m);
  restored.v = load("optimizer.v.", optimizer.v);
  TrainProgress where;
  try {
    restored.step = state.at("optimizer_step").get<uint64_t>();
    restored.sign = optimizer.sign;
    read_sign_state(state.at("sign"), restored.sign);
    where.epoch = state.at("epoch").get<uint64_t>();
    where.batch = state.at("batch").get<uint64_t>();
    where.loss_sum = state.at("loss_sum").get<double>();
    where.images = state.at("images").get<uint64_t>();
    where.correct = state.at("correct").get<uint64_t>();
    where.nonfinite = state.at("nonfinite").get<uint64_t>();
    where.train_seconds = state.at("train_seconds").get<double>();
    where.curve = state.at("curve");
    where.metrics = state.at("metrics").get<decltype(where.metrics)>();
  } catch (const nlohmann::json::exception& e) {
    throw CheckpointError(fmt::format("{} has an incomplete state ({}); use another checkpoint", path, e.what()));
  }
  if (restored.sign.dither.rms.size() != optimizer.sign.dither.rms.size()) {
    throw CheckpointError(fmt::format("{} was written with another dither; use the options that it was trained with", path));
  }
  require_fit(restored.sign.switching, plan.switching, shape.parameters.size());
  std::copy(values.begin(), values.end(), engine.values().begin());
  std::copy(buffers.begin(), buffers.end(), engine.buffers().begin());
  optimizer = std::move(restored);
  progress = std::move(where);
}

void load_weights(const std::string& path, Engine& engine) {
  const SafetensorsFile file(path);
  const NetworkShape& shape = engine.shape();
  const auto values = collect(file, path, "", shape.parameters, shape.parameter_elements);
  const bool has_buffers = !shape.buffers.empty() && file.find(shape.buffers.front().name) != nullptr;
  const auto buffers = has_buffers ? collect(file, path, "", shape.buffers, shape.buffer_elements) : std::vector<float>();
  std::copy(values.begin(), values.end(), engine.values().begin());
  std::copy(buffers.begin(), buffers.end(), engine.buffers().begin());
}

nlohmann::json checkpoint_config(const std::string& path) {
  const nlohmann::ordered_json state = state_of(SafetensorsFile(path), path);
  if (!state.contains("config")) throw CheckpointError(fmt::format("{} has no configuration; use another checkpoint", path));
  return state.at("config");
}

}  // namespace signstep
