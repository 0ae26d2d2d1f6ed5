// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/path.h"

#include <unistd.h>

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Path, WhatIsThere) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path("b"), "x");
  make_folders(folder.path("a"));
  EXPECT_TRUE(path_exists(folder.path("a")));
  EXPECT_TRUE(path_exists(folder.path("b")));
  EXPECT_FALSE(path_exists(folder.path("c")));
  EXPECT_FALSE(path_exists(folder.path("b/c")));
  EXPECT_TRUE(is_folder(folder.path("a")));
  EXPECT_FALSE(is_folder(folder.path("b")));
  EXPECT_FALSE(is_folder(folder.path("c")));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a", "b"));
  EXPECT_THAT(names_in(folder.path("c")), ElementsAre());
  EXPECT_THAT(message_of<EnvironmentError>([&] { names_in(folder.path("b")); }), HasSubstr("Not a directory"));
}

TEST(Path, WhatTheSystemDoesNotSay) {
  const TemporaryFolder folder;
  const std::string name = folder.path(std::string(300, 'x'));
  EXPECT_THAT(message_of<EnvironmentError>([&] { path_exists(name); }),
              HasSubstr("File name too long; give a shorter"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { is_folder(name); }), HasSubstr("File name too long"));
  EXPECT_THAT(message_of<EnvironmentError>([&] { names_in(name); }), HasSubstr("File name too long"));
  ASSERT_EQ(symlink("loop", folder.path("loop").c_str()), 0);
  EXPECT_THAT(message_of<EnvironmentError>([&] { path_exists(folder.path("loop")); }), HasSubstr("cannot look at"));
}

}  // namespace
}  // namespace signstep
