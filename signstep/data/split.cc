// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/split.h"

#include <algorithm>
#include <numeric>

#include "signstep/base/error.h"
#include "signstep/data/shuffle.h"

namespace signstep {

Split make_split(size_t count, size_t validation, size_t limit) {
  if (validation >= count) {
    throw OptionError(fmt::format(
        "{} validation images of {} leave none to train on; give --validation a number below {}, 0 for none",
        validation, count, count));
  }
  const size_t others = count - validation;
  if (limit > others)
    throw OptionError(
        fmt::format("limit_train is {} and there are {} images to train on; wanted at most that", limit, others));
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  shuffle(order, Stream(0, Purpose::kSplit));
  const auto border = order.begin() + static_cast<std::ptrdiff_t>(validation);
  std::sort(order.begin(), border);
  if (limit > 0) order.resize(validation + limit);
  std::sort(border, order.end());
  return {.train = {border, order.end()}, .validation = {order.begin(), border}};
}

}  // namespace signstep
