// SPDX-License-Identifier: Apache-2.0
// Which classes are taken for which, as a table whose cells are shaded by how often.
#pragma once

#include <string>
#include <vector>

#include "signstep/report/run_group.h"

namespace signstep {

// Of each group that has runs with a confusion.json (`signstep eval RUN --confusion`), their images counted together;
// "" where there is none. Above 20 classes: the most frequent mistakes and each class's accuracy. What cannot be read
// adds a sentence to problems.
std::string confusion_html(const std::vector<RunGroup>& groups, std::vector<std::string>& problems);

}  // namespace signstep
