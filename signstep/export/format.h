// SPDX-License-Identifier: Apache-2.0
// What of a run other programs can read. A format is a record in a file of its own under export/formats, and one line
// in the table of format.cc; `signstep export --to` follows from that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "signstep/io/safetensors.h"
#include "signstep/nn/network.h"
#include "signstep/runs/run_files.h"

namespace signstep {

// A trained network alone: parameters and running statistics under torchvision's names.
struct TrainedNetwork {
  std::vector<TensorEntry> tensors;  // their bytes lie elsewhere; F32 and I64
  Metadata about;                    // what the network is and wants as input, for formats that have room for it
  Network shape = {};                // its layers, for formats that hold them
  std::optional<int64_t> side = {};  // pixels, of what it is given; none: not known
};

struct ExportFormat {
  std::string name;  // of --to
  std::string help;
  std::string file;  // its default name, within the folder RUN/export
  // One of the two: writes the network, or the course of the run. Returns the files that were written, each of them
  // atomically. Throws EnvironmentError where the disk refuses, OptionError for what the format cannot hold.
  std::vector<std::string> (*network)(const TrainedNetwork& network, const std::string& path) = nullptr;
  // Without replace, a course whose files are there, one of them or all, is refused with OptionError before any is
  // written.
  std::vector<std::string> (*course)(const RunFiles& run, const std::string& path, bool replace) = nullptr;
};

const std::vector<ExportFormat>& export_formats();
std::vector<std::string> export_format_names();

// Throws OptionError with the nearest name.
const ExportFormat& find_export_format(const std::string& name);

// Throws OptionError where one of the files is there, unless replace.
void require_free(const std::vector<std::string>& files, bool replace);

// Adds to the statistics of each batch norm what PyTorch counts beside them, an I64 of no dimension named
// NAME.num_batches_tracked. steps must outlive the result.
std::vector<TensorEntry> with_batches_tracked(const std::vector<TensorEntry>& tensors, const int64_t& steps);

}  // namespace signstep
