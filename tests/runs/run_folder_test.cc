// SPDX-License-Identifier: Apache-2.0
#include "signstep/runs/run_folder.h"

#include "signstep/io/path.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What write_file_atomic had begun when the process was killed.
TEST(RunFolder, WhatAKilledProcessLeftGoesWithTheNextStart) {
  const TemporaryFolder folder;
  make_folders(folder.path("run/checkpoints"));
  for (const char* name :
       {".run.json.tmp-4711", ".config.toml.tmp-0123456789abcdef", ".metrics.jsonl.tmp-1", "run.json",
        "checkpoints/.step-00000007.safetensors.tmp-99", "checkpoints/step-00000003.safetensors"})
    write_file_atomic(folder.path("run/") + name, "x");
  const RunFolder run(folder.path("run"), true);
  EXPECT_THAT(names_in(run.path()), ElementsAre(".lock", "checkpoints", "run.json"));
  EXPECT_THAT(names_in(run.path() + "/checkpoints"), ElementsAre("step-00000003.safetensors"));
}

TEST(RunFolder, CheckpointsAreListedNewestFirst) {
  const TemporaryFolder folder;
  EXPECT_THAT(list_checkpoints(folder.path("absent")), IsEmpty());
  make_folders(folder.path("checkpoints"));
  for (const char* name : {"step-00000003.safetensors", "step-100000000.safetensors", "step-00000020.safetensors",
                           "step-.safetensors", "step-x.safetensors", "step-00000001.txt", "other"})
    write_file_atomic(folder.path("checkpoints/") + name, "x");
  EXPECT_THAT(list_checkpoints(folder.path()), ElementsAre(folder.path("checkpoints/step-100000000.safetensors"),
                                                           folder.path("checkpoints/step-00000020.safetensors"),
                                                           folder.path("checkpoints/step-00000003.safetensors")));
}

}  // namespace
}  // namespace signstep
