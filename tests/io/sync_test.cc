// SPDX-License-Identifier: Apache-2.0
// What is synced and what a failure says, seen through an fsync of our own.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace {

std::vector<std::string> synced;  // the names of what fsync was called for, since cleared
int folder_errno = 0;             // what it fails with for folders

}  // namespace

// In place of libc's, for this program.
extern "C" int fsync(int descriptor) {
  std::error_code ignored;
  const auto name = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), ignored);
  synced.push_back(name.string());
  if (folder_errno != 0 && std::filesystem::is_directory(name, ignored)) {
    errno = folder_errno;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace signstep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Sync : public testing::Test {
 protected:
  Sync() { synced.clear(); }
  ~Sync() override { folder_errno = 0; }
  const TemporaryFolder folder_;
};

TEST_F(Sync, AFileThenItsFolder) {
  write_file_atomic(folder_.path("f"), "x");
  ASSERT_EQ(synced.size(), 2u);
  EXPECT_THAT(synced[0], testing::StartsWith(folder_.path(".f.tmp-")));
  EXPECT_EQ(synced[1], folder_.path());
}

TEST_F(Sync, TheFolderThatEachNewFolderLiesIn) {
  make_folders(folder_.path("a/b"));
  EXPECT_THAT(synced, ElementsAre(folder_.path(), folder_.path("a")));
  synced.clear();
  make_folders(folder_.path("a/b/c/"));
  EXPECT_THAT(synced, ElementsAre(folder_.path("a/b")));
}

TEST_F(Sync, AFailureIsToldUnlessTheFileSystemSyncsNoFolders) {
  folder_errno = EINVAL;
  write_file_atomic(folder_.path("f"), "old");
  make_folders(folder_.path("a"));
  folder_errno = EIO;
  EXPECT_THAT(message_of<EnvironmentError>([&] { write_file_atomic(folder_.path("f"), "new"); }),
              AllOf(HasSubstr("cannot sync the folder " + folder_.path() + ": Input/output error"),
                    HasSubstr(folder_.path("f") + " is written, but a power cut may undo it")));
  EXPECT_EQ(read_text_file(folder_.path("f")), "new");
  EXPECT_THAT(message_of<EnvironmentError>([&] { make_folders(folder_.path("b")); }),
              HasSubstr("cannot sync the folder"));
}

// Two containers on one file system have the same process ids.
TEST_F(Sync, TemporaryNamesAreNeverTheSameAndLeaveOthersFilesAlone) {
  for (int i = 0; i < 20; ++i) write_file_atomic(folder_.path("f"), "x");
  std::vector<std::string> names;
  for (const std::string& name : synced)
    if (name != folder_.path()) names.push_back(name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()) - names.begin(), 20);
}

TEST_F(Sync, StaleFilesGoAndOthersStay) {
  for (const char* name : {".run.json.tmp-4711", ".f.tmp-0123456789abcdef", ".f.tmp-", ".f.tmp-x", "f.tmp-1", ".lock"})
    write_file_atomic(folder_.path(name), "x");
  remove_stale_files(folder_.path());
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    left.push_back(entry.path().filename().string());
  EXPECT_THAT(left, testing::UnorderedElementsAre(".f.tmp-", ".f.tmp-x", "f.tmp-1", ".lock"));
}

}  // namespace
}  // namespace signstep
