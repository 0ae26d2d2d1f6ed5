// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/formats/formats.h"
#include "signstep/export/onnx_graph.h"
#include "signstep/io/atomic_file.h"

namespace signstep {
namespace {

std::vector<std::string> write(const TrainedNetwork& network, const std::string& path) {
  write_file_atomic(path, onnx_model(network));
  return {path};
}

}  // namespace

ExportFormat onnx_format() {
  return {.name = "onnx",
          .help = "the network as it is evaluated, for runtimes of ONNX: normalised images in, logits out",
          .file = "network.onnx",
          .network = write};
}

}  // namespace signstep
