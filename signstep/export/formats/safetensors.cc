// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/formats/formats.h"

namespace signstep {
namespace {

std::vector<std::string> write(const TrainedNetwork& network, const std::string& path) {
  Metadata about = network.about;
  about["format"] = "pt";  // what readers for PyTorch ask for
  write_safetensors(path, network.tensors, about);
  return {path};
}

}  // namespace

ExportFormat safetensors_format() {
  return {.name = "safetensors",
          .help = "the network alone, under torchvision's names; --init takes it back",
          .file = "network.safetensors",
          .network = write};
}

}  // namespace signstep
