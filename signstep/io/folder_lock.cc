// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "signstep/base/error.h"

namespace signstep {
namespace {

std::string lock_file(const std::string& folder) { return folder + "/.lock"; }

// Of the whole file. Open-file-description locks want l_pid 0.
struct ::flock whole_file() {
  struct ::flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder) {
  const std::string path = lock_file(folder);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_errno("create", path, "choose a folder that you can write to");
  struct ::flock lock = whole_file();
  if (::fcntl(descriptor_, F_OFD_SETLK, &lock) == 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int code = errno;
  ::close(descriptor_);
  errno = code;
  if (code != EWOULDBLOCK && code != EACCES)
    throw_errno("lock", path, "choose a folder on a file system that has locks");
  throw EnvironmentError(
      fmt::format("{} is in use by another process; wait for that run, or choose another folder", folder));
}

FolderLock::~FolderLock() { ::close(descriptor_); }

bool folder_in_use(const std::string& folder) {
  const int descriptor = ::open(lock_file(folder).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  struct ::flock lock = whole_file();
  const bool held = ::fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(descriptor);
  return held;
}

}  // namespace signstep
