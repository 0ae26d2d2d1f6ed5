// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "signstep/core/error.h"

namespace signstep {
namespace {

const char kAdvice[] = "check its permissions and the disk";

class OpenFile {
 public:
  // Non-blocking, because opening a pipe would otherwise wait for a writer; it changes nothing for a regular file.
  explicit OpenFile(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ >= 0) return;
    if (errno == ENOENT) throw DataError(fmt::format("{} does not exist; check the path (docs/data.md)", path));
    throw_errno("open", path, kAdvice);
  }
  ~OpenFile() { close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

std::vector<uint8_t> read_data_file(const std::string& path) {
  const OpenFile file(path);
  struct stat status;
  if (fstat(file.descriptor(), &status) != 0) throw_errno("examine", path, kAdvice);
  if (!S_ISREG(status.st_mode)) {
    throw DataError(fmt::format("{} is not a regular file; wanted a data file, see docs/data.md", path));
  }
  if (static_cast<uint64_t>(status.st_size) > kMaxDataBytes) {
    throw DataError(fmt::format("{} has {} bytes; wanted at most {}; it is not a file of a data set that is read here",
                                path, status.st_size, kMaxDataBytes));
  }
  std::vector<uint8_t> bytes(static_cast<size_t>(status.st_size));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t got = read(file.descriptor(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read", path, kAdvice);
    if (got == 0) {
      throw DataError(fmt::format("{} ended after {} of {} bytes while it was read; do not write to it during a run",
                                  path, done, bytes.size()));
    }
    done += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace signstep
