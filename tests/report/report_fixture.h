// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "signstep/report/run_group.h"
#include "tests/runs/made_up_run.h"
#include "tests/support/temporary_folder.h"

namespace signstep {

// Groups of made-up runs in a folder of their own.
class ReportTest : public testing::Test {
 protected:
  RunSummary run(const std::string& name, const MadeUpRun& made_up) {
    write_run(folder_.path(name), made_up);
    return read_run(folder_.path(name));
  }
  std::vector<RunGroup> three_groups() {
    return group_runs({run("a", {.seed = 1}), run("b", {.seed = 3}),
                       run("c", {.seed = 1, .extra_config = "dither = \"relative\"\n", .switches = true}),
                       run("d", {.optimizer = "SGD", .extra_config = "batch = 64\n"})},
                      made_up_options());
  }
  std::string page(const std::string& name = "out") const {
    return read_text_file(folder_.path(name + "/report.html"));
  }

  TemporaryFolder folder_;
};

}  // namespace signstep
