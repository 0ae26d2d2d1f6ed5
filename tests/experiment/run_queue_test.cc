// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/run_queue.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::HasSubstr;

class RunQueueTest : public testing::Test {
 protected:
  // A stand-in for `signstep train`.
  std::string program(const std::string& body) const {
    write_file_atomic(folder_.path("program"), "#!/bin/sh\n" + body);
    std::filesystem::permissions(folder_.path("program"), std::filesystem::perms::owner_all);
    return folder_.path("program");
  }
  PlannedRun run() const {
    const Experiment e = parse_experiment("seeds = [1]\n[[method]]\nname = \"a\"\noptimizer = \"sgd\"\n", "e.toml");
    return make_plan(e, folder_.path("out")).all_runs().front();
  }
  TemporaryFolder folder_;
};

// Whatever ends the comparison, runs save first: they are asked, heard while they save, and waited for.
TEST_F(RunQueueTest, RunsSaveBeforeTheQueueIsGone) {
  {
    RunQueue queue(program(fmt::format("save() {{ i=0; while [ $i -lt 3000 ]; do echo saving; i=$((i+1)); done; "
                                       "sleep 0.3; echo > {}; exit 143; }}\n"
                                       "trap save TERM\necho > {}\nwhile :; do sleep 0.05; done\n",
                                       folder_.path("saved"), folder_.path("started"))),
                   "", 1);
    queue.start(run());
    for (int i = 0; i < 500 && !std::filesystem::exists(folder_.path("started")); ++i)
      queue.wait(std::chrono::milliseconds(20));
    ASSERT_TRUE(std::filesystem::exists(folder_.path("started")));
  }
  EXPECT_TRUE(std::filesystem::exists(folder_.path("saved")));
}

TEST_F(RunQueueTest, OddProgressAndLastWordsWithoutANewline) {
  RunQueue queue(
      program("echo '{\"batches\": \"many\", \"epoch\": [1], \"loss\": null}'\nprintf 'no such data'\nexit 3\n"), "",
      1);
  queue.start(run());
  std::vector<EndedRun> ended;
  for (int i = 0; i < 500 && ended.empty(); ++i) ended = queue.wait(std::chrono::milliseconds(20));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].outcome, RunOutcome::kFailed);
  EXPECT_EQ(ended[0].exit_code, 3);
  EXPECT_THAT(ended[0].reason, HasSubstr("no such data (exit code 3)"));
}

}  // namespace
}  // namespace signstep
