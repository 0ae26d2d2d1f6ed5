// SPDX-License-Identifier: Apache-2.0
// The one precompiled header: LibTorch costs 20 s a file without it.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <torch/version.h>
