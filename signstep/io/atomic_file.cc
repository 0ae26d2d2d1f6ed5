// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "signstep/core/error.h"

namespace signstep {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd);
  }

 private:
  int fd_;
};

constexpr const char* kWriteAdvice = "check the folder's permissions and the free space; the old file is untouched";

bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

void write_file_atomic(const std::string& path, const std::vector<std::span<const std::byte>>& parts) {
  const std::filesystem::path target(path);
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  const std::string temporary = fmt::format("{}/.{}.tmp-{}", folder, target.filename().string(), ::getpid());
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) throw_errno("create", temporary, kWriteAdvice);
  bool good = true;
  for (const auto& part : parts) good = good && write_all(file.get(), part);
  good = good && ::fsync(file.get()) == 0 && file.close() == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    const int code = errno;
    ::unlink(temporary.c_str());
    errno = code;
    throw_errno("write", path, kWriteAdvice);
  }
  // The rename itself must survive a power cut too.
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
}

void write_file_atomic(const std::string& path, std::string_view text) {
  write_file_atomic(path, {std::as_bytes(std::span(text))});
}

std::vector<uint8_t> read_file(const std::string& path, size_t max_bytes) {
  constexpr const char* kAdvice = "check the name and the permissions";
  // Non-blocking, because opening a pipe would otherwise wait for a writer; it changes nothing for a regular file.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) throw_errno("open", path, kAdvice);
  if (!S_ISREG(status.st_mode)) throw EnvironmentError(fmt::format("{} is not a regular file; name another", path));
  const auto size = static_cast<size_t>(status.st_size);
  if (size > max_bytes) {
    throw EnvironmentError(
        fmt::format("{} has {} bytes; wanted at most {}; is it the right file?", path, size, max_bytes));
  }
  std::vector<uint8_t> bytes(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.get(), bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read", path, kAdvice);
    if (got == 0) throw EnvironmentError(fmt::format("{} became shorter while it was read; try again", path));
    done += static_cast<size_t>(got);
  }
  return bytes;
}

std::string read_text_file(const std::string& path, size_t max_bytes) {
  const std::vector<uint8_t> bytes = read_file(path, max_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    throw EnvironmentError(
        fmt::format("cannot create the folder {}: {}; choose another or mend its permissions", path, error.message()));
  }
}

}  // namespace signstep
