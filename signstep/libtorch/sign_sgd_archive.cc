// SPDX-License-Identifier: Apache-2.0
// SignSGD to and from LibTorch's archives. Counters are integers, doubles lie in float64 tensors, so all of it survives
// exactly.
//
//   signstep                 "SignSGD 1": what this is, and the format's version
//   steps, dither_rms, switch/NAME
//   groups                   how many; groupG/size, groupG/options/NAME: those in force, as text, the learning rate as
//                            a number
//   average/I                m of parameter I over all groups, where it has one
#include <torch/torch.h>

#include "signstep/core/error.h"
#include "signstep/libtorch/aten_step.h"
#include "signstep/libtorch/sign_sgd.h"

namespace signstep {
namespace {

using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

constexpr const char* kFormat = "SignSGD 1";

template <class T>
constexpr at::ScalarType kTypeOf = std::is_same_v<T, double> ? at::kDouble : at::kLong;

template <class T>
void write_list(OutputArchive& archive, const std::string& key, const std::vector<T>& list) {
  const at::Tensor tensor = at::empty({static_cast<int64_t>(list.size())}, kTypeOf<T>);
  std::copy(list.begin(), list.end(), static_cast<T*>(tensor.data_ptr()));
  archive.write(key, tensor, /*is_buffer=*/true);
}

template <class T>
std::vector<T> read_list(InputArchive& archive, const std::string& key) {
  at::Tensor tensor;
  archive.read(key, tensor, /*is_buffer=*/true);
  if (tensor.dim() != 1 || tensor.scalar_type() != kTypeOf<T>) {
    throw CheckpointError(fmt::format("the archive's {} is {}; it is damaged, use another", key, tensor.toString()));
  }
  tensor = tensor.cpu().contiguous();
  const auto* data = static_cast<const T*>(tensor.data_ptr());
  return {data, data + tensor.numel()};
}

struct Writer {
  OutputArchive& archive;
  void operator()(const char* name, const uint64_t& v) { archive.write(name, c10::IValue(static_cast<int64_t>(v))); }
  void operator()(const char* name, const bool& v) { archive.write(name, c10::IValue(v)); }
  template <class T>
  void operator()(const char* name, const std::vector<T>& v) {
    write_list(archive, name, v);
  }
};

struct Reader {
  InputArchive& archive;
  c10::IValue value(const char* name) {
    c10::IValue out;
    archive.read(name, out);
    return out;
  }
  void operator()(const char* name, uint64_t& v) { v = static_cast<uint64_t>(value(name).toInt()); }
  void operator()(const char* name, bool& v) { v = value(name).toBool(); }
  template <class T>
  void operator()(const char* name, std::vector<T>& v) {
    v = read_list<T>(archive, name);
  }
};

std::string key_of(size_t i) { return std::to_string(i); }

// What an archive holds, before any of it is believed.
struct Saved {
  uint64_t steps = 0;
  SignState state;
  std::vector<std::pair<uint64_t, SignSGDOptions>> groups;  // number of parameters, options
  std::vector<at::Tensor> averages;                         // undefined where there is none
};

// averages are read where the number of parameters is the one expected.
Saved read_all(InputArchive& archive, size_t expected) {
  c10::IValue format;
  if (!archive.try_read("signstep", format) || !format.isString() || format.toStringRef() != kFormat) {
    throw CheckpointError(
        fmt::format("the archive does not hold the state of a {}; wanted one that signstep::SignSGD "
                    "saved; load the file that the optimizer was saved to",
                    kFormat));
  }
  Saved out;
  uint64_t groups = 0;
  Reader reader{archive};
  reader("steps", out.steps);
  reader("dither_rms", out.state.dither.rms);
  reader("groups", groups);
  InputArchive switching, averages;
  archive.read("switch", switching);
  visit_fields(out.state.switching, Reader{switching});
  archive.read("average", averages);
  uint64_t parameters = 0;
  for (size_t g = 0; g < groups; ++g) {
    InputArchive group, options;
    archive.read("group" + key_of(g), group);
    auto& [size, saved_options] = out.groups.emplace_back();
    Reader{group}("size", size);
    group.read("options", options);
    saved_options.serialize(options);
    parameters += size;
  }
  if (parameters == expected) out.averages.resize(expected);
  for (size_t i = 0; i < out.averages.size(); ++i) averages.try_read(key_of(i), out.averages[i], /*is_buffer=*/true);
  return out;
}

std::string shape_of(const at::Tensor& t) {
  return fmt::format("{} ({})", c10::toString(t.scalar_type()), fmt::join(t.sizes(), ", "));
}

// Why an archive is another optimizer's.
[[noreturn]] void refuse(const std::string& what) {
  throw CheckpointError(what + "; construct the optimizer with the parameters of the saved one, in their order");
}

void require_same_groups(const Saved& saved, const std::vector<torch::optim::OptimizerParamGroup>& groups) {
  if (saved.groups.size() != groups.size()) {
    refuse(fmt::format("the archive has {} parameter groups, this optimizer {}", saved.groups.size(), groups.size()));
  }
  for (size_t g = 0; g < groups.size(); ++g) {
    const uint64_t seen = saved.groups[g].first, wanted = groups[g].params().size();
    if (seen != wanted) {
      refuse(fmt::format("parameter group {} has {} parameters in the archive, {} in this optimizer", g, seen, wanted));
    }
  }
}

void require_same_options(const Saved& saved, const SignSGDOptions& own) {
  for (size_t g = 0; g < saved.groups.size(); ++g) {
    const SignSGDOptions& options = saved.groups[g].second;
    if (const std::string unlike = difference(own, options); !unlike.empty()) {
      throw CheckpointError(
          fmt::format("{}, as in the archive; construct the optimizer with the options of the saved one", unlike));
    }
    if (const std::string complaint = rate_complaint(options); !complaint.empty()) {
      throw CheckpointError(fmt::format("parameter group {} of the archive: {}; use another", g, complaint));
    }
  }
}

// wanted is a parameter's average as this optimizer would make it.
void require_same_shape(const at::Tensor& seen, const at::Tensor& wanted, size_t i) {
  if (seen.sizes() == wanted.sizes() && seen.scalar_type() == wanted.scalar_type()) return;
  refuse(
      fmt::format("the average of parameter {} is {} in the archive; wanted {}", i, shape_of(seen), shape_of(wanted)));
}

}  // namespace

void SignSGD::save(OutputArchive& archive) const {
  const std::vector<at::Tensor> all = all_parameters();
  check_new(all);
  std::vector<SignSGDOptions> options_of;
  for (size_t g = 0; g < param_groups().size(); ++g)
    options_of.push_back(in_force(sign_sgd_options(param_groups()[g]), options_, g));
  const SignState state = state_for(all.size());

  archive.write("signstep", c10::IValue(kFormat));
  Writer writer{archive};
  writer("steps", steps_);
  writer("dither_rms", state.dither.rms);
  writer("groups", static_cast<uint64_t>(param_groups().size()));
  OutputArchive switching(archive.compilation_unit()), averages(archive.compilation_unit());
  visit_fields(state.switching, Writer{switching});
  archive.write("switch", switching);
  for (size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].m.defined()) averages.write(key_of(i), slots_[i].m, /*is_buffer=*/true);
  archive.write("average", averages);
  for (size_t g = 0; g < param_groups().size(); ++g) {
    OutputArchive group(archive.compilation_unit()), options(archive.compilation_unit());
    Writer{group}("size", static_cast<uint64_t>(param_groups()[g].params().size()));
    options_of[g].serialize(options);
    group.write("options", options);
    archive.write("group" + key_of(g), group);
  }
}

void SignSGD::load(InputArchive& archive) {
  admit_new();
  Saved saved;
  try {
    saved = read_all(archive, slots_.size());
  } catch (const CheckpointError&) {
    throw;
  } catch (const OptionError& e) {
    throw CheckpointError(fmt::format("the archive holds an option that cannot be ({}); use another", e.what()));
  } catch (const c10::Error& e) {
    throw CheckpointError(fmt::format("the archive is damaged ({}); use another", e.what_without_backtrace()));
  } catch (const std::exception& e) {  // a missing entry is no c10::Error
    throw CheckpointError(fmt::format("the archive is incomplete ({}); use another", e.what()));
  }
  require_same_groups(saved, param_groups());
  require_same_options(saved, options_);
  if (saved.state.dither.rms.size() != state_.dither.rms.size()) {
    throw CheckpointError(fmt::format("the archive's dither_rms has {} entries, wanted {}; it is damaged, use another",
                                      saved.state.dither.rms.size(), state_.dither.rms.size()));
  }
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> averages(slots_.size());
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (!saved.averages[i].defined()) continue;
    averages[i] = make_average(slots_[i].parameter);
    require_same_shape(saved.averages[i], averages[i], i);
  }
  require_fit(saved.state.switching, plan_.switching, slots_.size());

  for (size_t i = 0; i < slots_.size(); ++i) {
    if (averages[i].defined()) averages[i].copy_(saved.averages[i]);
    slots_[i].m = averages[i];
  }
  for (size_t g = 0; g < saved.groups.size(); ++g) {
    SignSGDOptions& options = sign_sgd_options(param_groups()[g]);
    options = options_;
    options.rule.learning_rate = saved.groups[g].second.rule.learning_rate;
    options.rule.decoupled_weight_decay = saved.groups[g].second.rule.decoupled_weight_decay;
  }
  steps_ = saved.steps;
  state_ = std::move(saved.state);
  report_ = {};
}

}  // namespace signstep
