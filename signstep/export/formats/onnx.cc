// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/error.h"
#include "signstep/export/formats/formats.h"
#include "signstep/export/onnx_graph.h"
#include "signstep/io/atomic_file.h"

namespace signstep {
namespace {

constexpr size_t kMost = (size_t{1} << 31) - (size_t{1} << 20);  // protobuf's limit, less room for the graph

std::vector<std::string> write(const TrainedNetwork& network, const std::string& path) {
  size_t bytes = 0;
  for (const TensorEntry& t : network.tensors) bytes += t.bytes.size();
  if (bytes > kMost)
    throw OptionError(
        fmt::format("the network has {} bytes of weights, and an ONNX file less than 2 GiB; export "
                    "safetensors",
                    bytes));
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
