// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/atomic_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <functional>

#include "signstep/io/folder_lock.h"
#include "signstep/io/path.h"
#include "tests/support/exit_code_of.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// As on a full disk: while this lives, no file of this process grows beyond that many bytes.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(AtomicFile, PartsFollowEachOther) {
  const TemporaryFolder folder;
  const std::string a = "first ", b, c = "third";
  write_file_atomic(folder.path("f"),
                    {std::as_bytes(std::span(a)), std::as_bytes(std::span(b)), std::as_bytes(std::span(c))});
  EXPECT_EQ(read_text_file(folder.path("f")), "first third");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
  using std::filesystem::perms;
  std::filesystem::permissions(folder.path("f"), perms::owner_read | perms::owner_write);
  write_file_atomic(folder.path("f"), "for its owner alone, as before");
  EXPECT_EQ(std::filesystem::status(folder.path("f")).permissions(), perms::owner_read | perms::owner_write);
}

// A link stays, what it leads to is replaced; what is no file is left alone.
TEST(AtomicFile, LinksStayAndPipesAndFoldersAreRefused) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  fs::create_directory(folder.path("sub"));
  write_file_atomic(folder.path("sub/real"), "old");
  fs::create_symlink("sub/real", folder.path("link"));
  write_file_atomic(folder.path("link"), "new");
  EXPECT_TRUE(fs::is_symlink(folder.path("link")));
  EXPECT_EQ(read_text_file(folder.path("sub/real")), "new");
  fs::create_symlink("nowhere", folder.path("dangling"));
  write_file_atomic(folder.path("dangling"), "here");
  EXPECT_EQ(read_text_file(folder.path("dangling")), "here");
  ASSERT_EQ(mkfifo(folder.path("pipe").c_str(), 0600), 0);
  EXPECT_THAT([&] { write_file_atomic(folder.path("pipe"), "x"); },
              testing::ThrowsMessage<EnvironmentError>(HasSubstr("pipe is a device or a pipe; wanted a file")));
  EXPECT_TRUE(fs::is_fifo(folder.path("pipe")));
  EXPECT_THAT([&] { write_file_atomic(folder.path("sub"), "x"); },
              testing::ThrowsMessage<EnvironmentError>(HasSubstr("sub is a folder; wanted a file")));
}

TEST(AtomicFile, LongNames) {
  const TemporaryFolder folder;
  const std::string path = folder.path(std::string(255, 'n'));
  write_file_atomic(path, "text");
  EXPECT_EQ(read_text_file(path), "text");
}

TEST(AtomicFile, Replaces) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path("f"), std::string(100'000, 'x'));
  write_file_atomic(folder.path("f"), "short");
  EXPECT_EQ(read_text_file(folder.path("f")), "short");
  write_file_atomic(folder.path("f"), "");
  EXPECT_EQ(read_text_file(folder.path("f")), "");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
}

TEST(AtomicFile, AFullDiskLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path("f"), "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = message_of<EnvironmentError>([&] { write_file_atomic(folder.path("f"), std::string(5000, 'x')); });
  }
  EXPECT_THAT(message, AllOf(HasSubstr("cannot write " + folder.path("f")), HasSubstr("too large"),
                             HasSubstr("free space"), HasSubstr("the old file is untouched")));
  EXPECT_EQ(read_text_file(folder.path("f")), "old");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
}

TEST(AtomicFile, AFullDiskWithoutAnOldFileSaysSo) {
  const TemporaryFolder folder;
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = message_of<EnvironmentError>([&] { write_file_atomic(folder.path("f"), std::string(5000, 'x')); });
  }
  EXPECT_THAT(message, AllOf(HasSubstr("there is no such file still"), testing::Not(HasSubstr("untouched"))));
  EXPECT_THAT(names_in(folder.path()), ElementsAre());
}

TEST(AtomicFile, AFolderInTheWayIsLeftAlone) {
  const TemporaryFolder folder;
  make_folders(folder.path("f/inside"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { write_file_atomic(folder.path("f"), "new"); }),
              HasSubstr("is a folder; wanted a file to write to"));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
  EXPECT_THAT(names_in(folder.path("f")), ElementsAre("inside"));
}

TEST(AtomicFile, AParentThatIsNoFolder) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path("file"), "old");
  EXPECT_THAT(message_of<EnvironmentError>([&] { write_file_atomic(folder.path("file/f"), "new"); }),
              HasSubstr("Not a directory"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { write_file_atomic(folder.path("absent/f"), "new"); }),
              HasSubstr("No such file"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { make_folders(folder.path("file/sub")); }),
              HasSubstr("cannot create the folder"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { make_folders(folder.path("file")); }),
              HasSubstr("cannot create the folder"));
  EXPECT_EQ(read_text_file(folder.path("file")), "old");
}

TEST(AtomicFile, AFolderWithoutPermission) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path("f"), "old");
  chmod(folder.path().c_str(), 0555);
  // Root may write everywhere, so a process of its own gives that up first.
  const auto denied = [&](const std::function<void()>& call) {
    return exit_code_of([&] {
      constexpr uid_t kNobody = 65534;
      if (geteuid() == 0 && setuid(kNobody) != 0) return 3;
      try {
        call();
        return 2;
      } catch (const EnvironmentError& e) {
        return std::strstr(e.what(), "Permission denied") != nullptr ? 0 : 1;
      }
    });
  };
  EXPECT_EQ(denied([&] { write_file_atomic(folder.path("f"), "new"); }), 0);
  EXPECT_EQ(denied([&] { FolderLock lock(folder.path()); }), 0);
  EXPECT_EQ(denied([&] { make_folders(folder.path("sub")); }), 0);
  chmod(folder.path().c_str(), 0755);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("f"));
  // A link into a folder that may not be searched: whether there is a file cannot be known, so the link stays.
  const TemporaryFolder secret, open;
  write_file_atomic(secret.path("f"), "old");
  std::filesystem::create_symlink(secret.path("f"), open.path("link"));
  chmod(secret.path().c_str(), 0000);
  chmod(open.path().c_str(), 0777);
  EXPECT_EQ(denied([&] { write_file_atomic(open.path("link"), "new"); }), 0);
  chmod(secret.path().c_str(), 0700);
  EXPECT_TRUE(std::filesystem::is_symlink(open.path("link")));
  EXPECT_EQ(read_text_file(secret.path("f")), "old");
  EXPECT_EQ(read_text_file(folder.path("f")), "old");
}

TEST(ReadFile, LimitsAndKinds) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path("f"), "12345");
  EXPECT_EQ(read_file(folder.path("f"), 5), std::vector<uint8_t>({'1', '2', '3', '4', '5'}));
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_file(folder.path("f"), 4); }),
              HasSubstr("has 5 bytes; wanted at most 4"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_file(folder.path("absent")); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_file(folder.path()); }), HasSubstr("not a regular file"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_file("/dev/zero"); }), HasSubstr("not a regular file"));
  ASSERT_EQ(mkfifo(folder.path("pipe").c_str(), 0600), 0);  // without a writer: opening it must not wait
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_file(folder.path("pipe")); }), HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace signstep
