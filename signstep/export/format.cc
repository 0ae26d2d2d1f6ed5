// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/format.h"

#include "signstep/base/error.h"
#include "signstep/base/option.h"
#include "signstep/export/formats/formats.h"
#include "signstep/io/path.h"

namespace signstep {

const std::vector<ExportFormat>& export_formats() {
  static const std::vector<ExportFormat> all = {
      safetensors_format(), pt_format(), onnx_format(), csv_format(), tensorboard_format(),
  };
  return all;
}

std::vector<std::string> export_format_names() {
  std::vector<std::string> names;
  for (const ExportFormat& format : export_formats()) names.push_back(format.name);
  return names;
}

const ExportFormat& find_export_format(const std::string& name) {
  for (const ExportFormat& format : export_formats())
    if (format.name == name) return format;
  const std::string near = nearest_name(name, export_format_names());
  throw OptionError(fmt::format("--to is '{}'; wanted one of {}{}", name, fmt::join(export_format_names(), ", "),
                                near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

void require_free(const std::vector<std::string>& files, bool replace) {
  for (const std::string& file : files)
    if (!replace && path_exists(file))
      throw OptionError(fmt::format("{} exists; choose another --output, or add --replace", file));
}

std::vector<TensorEntry> with_batches_tracked(const std::vector<TensorEntry>& tensors, const int64_t& steps) {
  const std::string variance = "running_var";
  std::vector<TensorEntry> out;
  for (const TensorEntry& t : tensors) {
    out.push_back(t);
    if (!t.name.ends_with("." + variance)) continue;
    const std::string module = t.name.substr(0, t.name.size() - variance.size());
    out.push_back({module + "num_batches_tracked", "I64", {}, std::as_bytes(std::span(&steps, 1))});
  }
  return out;
}

}  // namespace signstep
