// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/split.h"

#include <algorithm>
#include <numeric>

#include "signstep/base/error.h"
#include "signstep/data/shuffle.h"

namespace signstep {

Split make_split(size_t count, size_t validation) {
  if (validation >= count) {
    throw OptionError(fmt::format("{} validation images of {} leave none to train on; wanted less than {}", validation,
                                  count, count));
  }
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  shuffle(order, Stream(0, Purpose::kSplit));
  const auto border = order.begin() + static_cast<std::ptrdiff_t>(validation);
  std::sort(order.begin(), border);
  std::sort(border, order.end());
  return {.train = {border, order.end()}, .validation = {order.begin(), border}};
}

}  // namespace signstep
