// SPDX-License-Identifier: Apache-2.0
#include "signstep/libtorch/sign_sgd_archive.h"

#include <torch/torch.h>

#include "signstep/base/error.h"

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

void write_tensors(OutputArchive& archive, const std::string& key, const std::vector<at::Tensor>& tensors) {
  OutputArchive list(archive.compilation_unit());
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].defined()) list.write(key_of(i), tensors[i], /*is_buffer=*/true);
  archive.write(key, list);
}

SavedSignSGD read_all(InputArchive& archive, size_t expected) {
  c10::IValue format;
  if (!archive.try_read("signstep", format) || !format.isString() || format.toStringRef() != kFormat) {
    throw CheckpointError(
        fmt::format("the archive does not hold the state of a {}; wanted one that signstep::SignSGD "
                    "saved; load the file that the optimizer was saved to",
                    kFormat));
  }
  SavedSignSGD out;
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
  if (parameters != expected) return out;
  InputArchive maxima;
  const bool has_maxima = archive.try_read("maximum", maxima);
  out.averages.resize(expected);
  out.maxima.resize(expected);
  for (size_t i = 0; i < expected; ++i) {
    averages.try_read(key_of(i), out.averages[i], /*is_buffer=*/true);
    if (has_maxima) maxima.try_read(key_of(i), out.maxima[i], /*is_buffer=*/true);
  }
  return out;
}

}  // namespace

void write_archive(OutputArchive& archive, const SavedSignSGD& saved) {
  archive.write("signstep", c10::IValue(kFormat));
  Writer writer{archive};
  writer("steps", saved.steps);
  writer("dither_rms", saved.state.dither.rms);
  writer("groups", static_cast<uint64_t>(saved.groups.size()));
  OutputArchive switching(archive.compilation_unit());
  visit_fields(saved.state.switching, Writer{switching});
  archive.write("switch", switching);
  write_tensors(archive, "average", saved.averages);
  write_tensors(archive, "maximum", saved.maxima);
  for (size_t g = 0; g < saved.groups.size(); ++g) {
    OutputArchive group(archive.compilation_unit()), options(archive.compilation_unit());
    Writer{group}("size", saved.groups[g].first);
    saved.groups[g].second.serialize(options);
    group.write("options", options);
    archive.write("group" + key_of(g), group);
  }
}

SavedSignSGD read_archive(InputArchive& archive, size_t parameters) {
  try {
    return read_all(archive, parameters);
  } catch (const CheckpointError&) {
    throw;
  } catch (const OptionError& e) {
    throw CheckpointError(fmt::format("the archive holds an option that cannot be ({}); use another", e.what()));
  } catch (const c10::Error& e) {
    throw CheckpointError(fmt::format("the archive is damaged ({}); use another", e.what_without_backtrace()));
  } catch (const std::exception& e) {  // a missing entry is no c10::Error
    throw CheckpointError(fmt::format("the archive is incomplete ({}); use another", e.what()));
  }
}

}  // namespace signstep
