// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/io/path.h"

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

constexpr const char* kTemporaryMark = ".tmp-";

// What the user has after a write that failed.
std::string write_advice(const std::string& path) {
  struct stat status {};
  return fmt::format("check the folder's permissions and the free space; {}",
                     ::lstat(path.c_str(), &status) == 0 ? "the old file is untouched" : "there is no such file still");
}

std::string parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path().string() : ".";
}

// A name that no other process, container or machine on the same file system chooses too, and nobody foresees.
std::string temporary_beside(const std::filesystem::path& target) {
  uint64_t random = 0;  // not std::random_device, which asks for the newest glibc where libstdc++ is linked statically
  if (::getentropy(&random, sizeof random) != 0)
    throw_errno("name a temporary file beside", target.string(), "let the program call getrandom");
  // A file's name has at most 255 bytes; the mark and the number take 22 of them.
  return fmt::format("{}/.{}{}{:016x}", parent_of(target), target.filename().string().substr(0, 200), kTemporaryMark,
                     random);
}

// Where the bytes go: what a link leads to; where it leads to nothing, the link itself is replaced.
std::string target_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return path;
  std::error_code error;
  const std::string target = S_ISLNK(status.st_mode) ? std::filesystem::canonical(path, error).string() : path;
  if (error == std::errc::no_such_file_or_directory) return path;
  if (error)  // there may be a file, which a new one in the link's place would hide
    throw EnvironmentError(fmt::format("cannot follow the link {}: {}; name the file that is meant, or remove the link",
                                       path, error.message()));
  if (::stat(target.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    throw EnvironmentError(fmt::format("{} is {}; wanted a file to write to; name another", path,
                                       S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe"));
  return target;
}

bool is_temporary(const std::string& name) {
  const size_t mark = name.rfind(kTemporaryMark);
  if (!name.starts_with('.') || mark == std::string::npos) return false;
  const std::string digits = name.substr(mark + std::string_view(kTemporaryMark).size());
  return !digits.empty() && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Makes a name in the folder survive a power cut. what: what is there now, for the message.
void sync_folder(const std::string& folder, const std::string& what) {
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 && errno == EACCES) return;  // writing in it is allowed, reading is not
  if (directory.get() >= 0 && (::fsync(directory.get()) == 0 || errno == EINVAL || errno == ENOTSUP)) return;
  throw_errno("sync the folder", folder, fmt::format("{}, but a power cut may undo it: check the disk", what));
}

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

void write_file_atomic(const std::string& named, const std::vector<std::span<const std::byte>>& parts) {
  const std::string path = target_of(named);
  const std::string temporary = temporary_beside(path);
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file.get() < 0) {
    const int code = errno;
    const std::string advice = write_advice(path);
    errno = code;
    throw_errno("create", temporary, advice);
  }
  struct stat before {};
  if (::stat(path.c_str(), &before) == 0) ::fchmod(file.get(), before.st_mode & 0777);  // who may read it stays so
  bool good = true;
  for (const auto& part : parts) good = good && write_all(file.get(), part);
  good = good && ::fsync(file.get()) == 0 && file.close() == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    const int code = errno;
    ::unlink(temporary.c_str());
    const std::string advice = write_advice(path);
    errno = code;
    throw_errno("write", path, advice);
  }
  sync_folder(parent_of(path), fmt::format("{} is written", path));
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
  std::filesystem::path folder;
  for (const std::filesystem::path& part : std::filesystem::path(path)) {
    folder /= part;
    const std::string name = folder.string();
    if (::mkdir(name.c_str(), 0777) == 0) {
      sync_folder(parent_of(folder), fmt::format("{} is there", name));
      continue;
    }
    const int code = errno;
    struct stat status {};
    if (::stat(name.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) continue;
    errno = code;
    throw_errno("create the folder", name, "choose another or mend its permissions");
  }
}

void remove_stale_files(const std::string& folder) {
  for (const std::string& name : names_in(folder))
    if (is_temporary(name)) ::unlink((folder + "/" + name).c_str());
}

}  // namespace signstep
