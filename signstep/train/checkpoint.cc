// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "signstep/base/error.h"
#include "signstep/data/picture.h"
#include "signstep/io/json_text.h"
#include "signstep/io/label.h"
#include "signstep/train/state_fields.h"
#include "signstep/wire/gather.h"

namespace signstep {
namespace {

constexpr const char *kStateKey = "signstep.state", *kClassesKey = "signstep.classes";
constexpr uint64_t kVersion = 2, kOldestVersion = 1;  // 1 had no checksum of the data
// 200 epochs of 3,000 steps under --analyze-every 1 are 4 million values.
constexpr JsonLimits kStateLimits{.values = size_t{1} << 24};

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

const std::string kOptimizerPrefix = "optimizer.";

std::string prefix_of(const StateBuffer& buffer) { return kOptimizerPrefix + buffer.name + "."; }

std::string shape_text(const std::vector<int64_t>& network) { return fmt::format("({})", fmt::join(network, ", ")); }

// Copies the named tensors into a flat buffer of the list's layout.
std::vector<float> collect(const SafetensorsFile& file, const std::string& path, const std::string& prefix,
                           const std::vector<TensorInfo>& list, size_t elements) {
  std::vector<float> flat(elements);
  for (const TensorInfo& t : list) {
    const TensorEntry* entry = file.find(prefix + t.name);
    if (entry == nullptr) {
      throw CheckpointError(
          fmt::format("{} has no tensor {}; it belongs to another network or optimizer: use the "
                      "options that it was trained with",
                      path, prefix + t.name));
    }
    if (entry->dtype != "F32" || entry->shape != t.shape) {
      throw CheckpointError(
          fmt::format("{}: tensor {} is {} {}; this network wants F32 {}: use the width, classes and "
                      "norm that it was trained with",
                      path, entry->name, entry->dtype, shape_text(entry->shape), shape_text(t.shape)));
    }
    std::vector<float> values(t.size);
    std::memcpy(values.data(), entry->bytes.data(), entry->bytes.size());
    store_row_major(t, values, flat);
  }
  return flat;
}

// What a reader of JSON calls bad data is here a bad checkpoint.
template <class Read>
auto damage_is_the_checkpoints(const Read& read) {
  try {
    return read();
  } catch (const DataError& e) {
    throw CheckpointError(fmt::format("{} If so, use another checkpoint", e.what()));
  }
}

nlohmann::ordered_json state_of(const SafetensorsFile& file, const std::string& path) {
  const auto found = file.metadata().find(kStateKey);
  if (found == file.metadata().end() || !file.has_checksum()) {
    throw CheckpointError(
        fmt::format("{} holds no training state; it is not a checkpoint of signstep: "
                    "start from its weights with --init",
                    path));
  }
  return damage_is_the_checkpoints([&] {
    nlohmann::ordered_json state = parse_json(found->second, path + ": state", kStateLimits);
    const auto version = JsonFields(state, path).get<uint64_t>("version");
    if (version < kOldestVersion || version > kVersion) {
      throw CheckpointError(
          fmt::format("{} has a state of format version {}; this program reads version {} to {}: use "
                      "another checkpoint, or the program that wrote it",
                      path, version, kOldestVersion, kVersion));
    }
    return state;
  });
}

}  // namespace

namespace {

// Returns the file's checksum.
std::string save(const std::string& path, Learner& learner, const TrainProgress& progress, const RunIdentity& run,
                 const std::vector<std::string>& rank_checksums) {
  const Network& network = learner.network();
  const OptimizerState& optimizer = learner.state();
  Outgoing out;
  out.append("", network.parameters, learner.engine().values());
  out.append("", network.buffers, learner.engine().buffers());
  for (const StateBuffer& buffer : optimizer.buffers) out.append(prefix_of(buffer), network.parameters, buffer.values);
  nlohmann::ordered_json state = {{"version", kVersion},
                                  {"config", run.options},
                                  {"data_sha256", run.data_sha256},
                                  {"optimizer_step", optimizer.step}};
  if (std::any extra = optimizer.extra; extra.has_value()) {
    StateWriter fields(state, nlohmann::ordered_json::json_pointer() / learner.rule().extra_name());
    learner.rule().visit_extra(extra, fields);
  }
  state.update({{"epoch", progress.epoch},
                {"batch", progress.batch},
                {"loss_sum", progress.sums.loss},
                {"images", progress.sums.images},
                {"correct", progress.sums.correct},
                {"point_loss_sum", progress.at_point.loss},
                {"point_images", progress.at_point.images},
                {"point_correct", progress.at_point.correct},
                {"nonfinite", progress.nonfinite},
                {"train_seconds", progress.train_seconds},
                {"curve", fields_json(progress.course)},
                {"metrics", fields_json(progress.metrics)}});
  if (!progress.wire.empty()) state["wire"] = fields_json(progress.wire);
  if (!rank_checksums.empty()) state["ranks"] = rank_checksums;
  Metadata metadata = {{kStateKey, json_text(state)}, {"format", "pt"}};
  if (!run.classes.empty())
    metadata[kClassesKey] = json_text(nlohmann::ordered_json{{"names", run.classes}, {"side", run.side}});
  return write_safetensors(path, out.entries, metadata);
}

}  // namespace

void save_checkpoint(const std::string& path, Learner& learner, const TrainProgress& progress, const RunIdentity& run) {
  save(path, learner, progress, run, {});
}

void save_checkpoint(const std::string& path, Learner& learner, const TrainProgress& progress, const RunIdentity& run,
                     Communicator& world, RankParts& parts) {
  const bool first = world.rank() == 0;
  if (parts.step != learner.steps()) {
    // What keeps one rank from writing its part is everyone's to know, and rank 0's to say.
    std::string checksum, trouble;
    try {
      if (!first) checksum = save(path, learner, progress, run, {});
    } catch (const EnvironmentError& e) {
      trouble = fmt::format("rank {}: {}", world.rank(), e.what());
    }
    if (trouble = first_text(world, trouble); !trouble.empty()) {
      if (first) throw EnvironmentError(trouble);
      throw WireError(trouble);
    }
    parts.checksums = gathered_texts(world, checksum);
    parts.checksums.erase(parts.checksums.begin());
    parts.step = learner.steps();
  }
  if (first) save(path, learner, progress, run, parts.checksums);
}

Checkpoint::Checkpoint(const std::string& path) : path_(path), file_(path), state_(state_of(file_, path)) {}

std::vector<TensorEntry> Checkpoint::network() const {
  std::vector<TensorEntry> parameters, statistics, out;
  for (const TensorEntry& t : file_.tensors()) {
    if (t.name.starts_with(kOptimizerPrefix)) continue;
    (t.name.find(".running_") == std::string::npos ? parameters : statistics).push_back(t);
  }
  for (const TensorEntry& t : parameters) {
    out.push_back(t);
    if (!t.name.ends_with(".bias")) continue;
    const std::string norm = t.name.substr(0, t.name.size() - 4);
    for (const TensorEntry& s : statistics)
      if (s.name.starts_with(norm + "running_")) out.push_back(s);
  }
  return out;
}

uint64_t Checkpoint::step() const {
  return damage_is_the_checkpoints([&] { return JsonFields(state_, path_).get<uint64_t>("optimizer_step"); });
}

// What only the pictures' folder said; nothing for other sets.
std::optional<nlohmann::ordered_json> Checkpoint::of_folder() const {
  const auto found = file_.metadata().find(kClassesKey);
  if (found == file_.metadata().end()) return std::nullopt;
  return damage_is_the_checkpoints([&] { return parse_json(found->second, path_ + ": classes"); });
}

std::vector<std::string> Checkpoint::class_names() const {
  const auto json = of_folder();
  if (!json) return {};
  return damage_is_the_checkpoints([&] {
    std::vector<std::string> names = JsonFields(*json, path_).get<std::vector<std::string>>("names");
    std::transform(names.begin(), names.end(), names.begin(), printable);
    return names;
  });
}

std::optional<int64_t> Checkpoint::image_side() const {
  const auto json = of_folder();
  if (!json) return std::nullopt;
  return damage_is_the_checkpoints([&] {
    const auto side = JsonFields(*json, path_).find<int64_t>("side");
    return side && *side > 0 && *side <= kLongestSide ? side : std::nullopt;
  });
}

RunIdentity Checkpoint::identity() const {
  return damage_is_the_checkpoints([&] {
    const JsonFields fields(state_, path_);
    return RunIdentity{.options = fields.get<nlohmann::ordered_json>("config"),
                       .data_sha256 = fields.find<std::string>("data_sha256").value_or("")};
  });
}

const std::string& Checkpoint::sha256() const { return file_.metadata().at("signstep.sha256"); }

std::vector<std::string> Checkpoint::rank_checksums() const {
  return damage_is_the_checkpoints([&] {
    return JsonFields(state_, path_).find<std::vector<std::string>>("ranks").value_or(std::vector<std::string>());
  });
}

TrainProgress Checkpoint::progress() const {
  TrainProgress where;
  damage_is_the_checkpoints([&] {
    const JsonFields fields(state_, path_);
    where.epoch = fields.get<uint64_t>("epoch");
    where.batch = fields.get<uint64_t>("batch");
    where.sums = {.loss = fields.get<double>("loss_sum"),
                  .images = fields.get<uint64_t>("images"),
                  .correct = fields.get<uint64_t>("correct")};
    // Older checkpoints do not say: their epoch's next point begins here.
    where.at_point = {.loss = fields.find<double>("point_loss_sum").value_or(where.sums.loss),
                      .images = fields.find<uint64_t>("point_images").value_or(where.sums.images),
                      .correct = fields.find<uint64_t>("point_correct").value_or(where.sums.correct)};
    if (where.at_point.images > where.sums.images || where.at_point.correct > where.sums.correct)
      throw DataError(fmt::format("{} counts more images at its last point than in all; the file is damaged.", path_));
    where.nonfinite = fields.get<uint64_t>("nonfinite");
    where.train_seconds = fields.get<double>("train_seconds");
    if (const auto wire = fields.find<nlohmann::ordered_json>("wire")) where.wire = fields_from<WireRecord>(*wire);
    where.course = fields_from<EpochCourse>(fields.get<nlohmann::ordered_json>("curve"));
    for (const auto& epoch : fields.get<std::vector<nlohmann::ordered_json>>("metrics"))
      where.metrics.push_back(fields_from<EpochRecord>(epoch));
  });
  return where;
}

void Checkpoint::restore(Learner& learner, TrainProgress& progress) const {
  const Network& network = learner.network();
  const UpdateRule& rule = learner.rule();
  const OptimizerState& fresh = learner.state();
  const auto values = collect(file_, path_, "", network.parameters, network.parameter_elements);
  const auto buffers = collect(file_, path_, "", network.buffers, network.buffer_elements);
  OptimizerState restored;
  for (const StateBuffer& buffer : fresh.buffers) {
    restored.buffers.push_back(
        {buffer.name, collect(file_, path_, prefix_of(buffer), network.parameters, network.parameter_elements)});
  }
  restored.extra = fresh.extra;
  TrainProgress where = this->progress();
  damage_is_the_checkpoints([&] {
    const JsonFields fields(state_, path_);
    restored.step = fields.get<uint64_t>("optimizer_step");
    if (restored.extra.has_value()) {
      StateReader extra(fields.object(rule.extra_name()));
      rule.visit_extra(restored.extra, extra);
    }
  });
  if (restored.extra.has_value()) rule.require_fit(restored.extra, network.parameters.size());
  std::copy(values.begin(), values.end(), learner.engine().values().begin());
  std::copy(buffers.begin(), buffers.end(), learner.engine().buffers().begin());
  learner.state() = std::move(restored);
  progress = std::move(where);
}

void load_weights(const std::string& path, Engine& engine) { load_weights(SafetensorsFile(path), path, engine); }

void load_weights(const SafetensorsFile& file, const std::string& path, Engine& engine) {
  const Network& network = engine.network();
  const auto values = collect(file, path, "", network.parameters, network.parameter_elements);
  const bool has_buffers = !network.buffers.empty() && file.find(network.buffers.front().name) != nullptr;
  const auto buffers =
      has_buffers ? collect(file, path, "", network.buffers, network.buffer_elements) : std::vector<float>();
  std::copy(values.begin(), values.end(), engine.values().begin());
  std::copy(buffers.begin(), buffers.end(), engine.buffers().begin());
}

}  // namespace signstep
