// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "signstep/nn/network.h"
#include "signstep/optim/rule.h"

namespace signstep {

// The network's parameters as an update rule is given them.
inline std::vector<TensorSlot> tensor_slots(const Network& network) {
  std::vector<TensorSlot> slots;
  for (const TensorInfo& t : network.parameters) slots.push_back({t.offset, t.size, t.shape});
  return slots;
}

}  // namespace signstep
