// SPDX-License-Identifier: Apache-2.0
// One function a format, each in the file of its name.
#pragma once

#include "signstep/export/format.h"

namespace signstep {

ExportFormat safetensors_format();
ExportFormat pt_format();
ExportFormat onnx_format();
ExportFormat csv_format();
ExportFormat tensorboard_format();

}  // namespace signstep
