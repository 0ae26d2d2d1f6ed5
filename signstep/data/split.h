// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signstep {

// Indices into a training set, ascending. The two parts are disjoint.
struct Split {
  std::vector<uint32_t> train, validation;
};

// Holds out `validation` of `count` images by a permutation that no run seed changes: every run of every seed validates
// on the same images, and a smaller hold-out is part of a larger one. 0 holds out nothing. limit: how many of the
// others are trained on, the first of that permutation, so that fewer are part of more; 0: all, and then the parts
// cover the set. Throws OptionError when nothing would be left to train on, or the limit is more than there are.
Split make_split(size_t count, size_t validation, size_t limit = 0);

}  // namespace signstep
