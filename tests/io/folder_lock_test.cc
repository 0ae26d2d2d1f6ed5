// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/folder_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "signstep/base/error.h"
#include "tests/support/exit_code_of.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::HasSubstr;

int try_lock(const std::string& folder) {
  try {
    const FolderLock lock(folder);
    return 0;
  } catch (const EnvironmentError&) {
    return 1;
  }
}

TEST(FolderLock, ExcludesAnotherProcessUntilItEnds) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    EXPECT_EQ(exit_code_of([&] { return try_lock(folder.path()); }), 1);
    EXPECT_THAT(message_of<EnvironmentError>([&] { FolderLock second(folder.path()); }),
                HasSubstr("in use by another process"));
  }
  EXPECT_EQ(exit_code_of([&] { return try_lock(folder.path()); }), 0);
  EXPECT_EQ(try_lock(folder.path()), 0);
}

TEST(FolderLock, AskingTakesNothing) {
  const TemporaryFolder folder;
  EXPECT_FALSE(folder_in_use(folder.path()));
  EXPECT_FALSE(std::filesystem::exists(folder.path(".lock")));
  {
    const FolderLock lock(folder.path());
    EXPECT_TRUE(folder_in_use(folder.path()));
    EXPECT_EQ(exit_code_of([&] { return folder_in_use(folder.path()) ? 1 : 0; }), 1);
  }
  EXPECT_FALSE(folder_in_use(folder.path()));
  // Another process asks without end; none of our locks may meet it.
  const pid_t asker = fork();
  if (asker == 0)
    for (;;) folder_in_use(folder.path());
  for (int i = 0; i < 20000; ++i) EXPECT_NO_THROW(FolderLock{folder.path()});
  kill(asker, SIGKILL);
  waitpid(asker, nullptr, 0);
}

// signstep 0.1 takes the lock of flock() alone.
TEST(FolderLock, OldAndNewProgramsExcludeEachOther) {
  const TemporaryFolder folder;
  const int old = open(folder.path(".lock").c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_EQ(flock(old, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(exit_code_of([&] { return try_lock(folder.path()); }), 1);
  ASSERT_EQ(flock(old, LOCK_UN), 0);
  const FolderLock lock(folder.path());
  EXPECT_NE(flock(old, LOCK_EX | LOCK_NB), 0);
  close(old);
}

TEST(FolderLock, IsFreeOnceItsHolderIsKilled) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    const FolderLock lock(folder.path());
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(try_lock(folder.path()), 1);
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_EQ(try_lock(folder.path()), 0);
  close(ready[0]);
  close(ready[1]);
}

TEST(FolderLock, NeedsTheFolder) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<EnvironmentError>([&] { FolderLock lock(folder.path("absent")); }), HasSubstr("No such file"));
}

}  // namespace
}  // namespace signstep
