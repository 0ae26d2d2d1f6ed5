// SPDX-License-Identifier: Apache-2.0
// One process at a time works in a folder.
#pragma once

#include <string>

namespace signstep {

// Holds an exclusive lock on FOLDER/.lock as long as it lives; the lock of a killed process is free at once.
// Two locks are taken: an open-file-description lock, which others can ask about without taking it, and that of
// flock(), the only one that signstep 0.1 knows. Local file systems keep the two apart, so with one alone an old and a
// new program would share a folder.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);  // throws EnvironmentError when someone else holds it
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

// Whether anyone holds the lock right now. Takes nothing and writes nothing, so that it never stands in another's way;
// false also for a folder that cannot be read, and for one that only signstep 0.1 works in.
bool folder_in_use(const std::string& folder);

}  // namespace signstep
