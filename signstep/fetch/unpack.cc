// SPDX-License-Identifier: Apache-2.0
#include "signstep/fetch/unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "signstep/base/error.h"
#include "signstep/data/read_file.h"
#include "signstep/io/label.h"

namespace signstep {
namespace {

constexpr int kMostEntries = 10000;
constexpr size_t kChunk = size_t{1} << 16;

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), archive_(archive_read_new(), &archive_read_free) {
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_format_tar(archive_.get());
    if (archive_read_open_filename(archive_.get(), path.c_str(), kChunk) != ARCHIVE_OK) fail();
  }

  // False at the end.
  bool next() {
    const int result = archive_read_next_header(archive_.get(), &entry_);
    if (result == ARCHIVE_EOF) return false;
    if (result != ARCHIVE_OK) fail();
    if (++entries_ > kMostEntries) fail(fmt::format("it has more than {} entries", kMostEntries));
    return true;
  }

  // Without a name's folders; "" for what is no regular file.
  std::string file_name() {
    const char* name = archive_entry_pathname(entry_);
    if (name == nullptr) fail("an entry has no name");
    const std::filesystem::path path(name);
    const bool leads_out = path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
    if (leads_out) fail(fmt::format("entry {} leads out of it", printable(name)));
    // A link is a regular file to tar, and its content another's.
    const bool regular = archive_entry_filetype(entry_) == AE_IFREG && archive_entry_hardlink(entry_) == nullptr;
    return regular ? path.filename().string() : "";
  }

  std::vector<uint8_t> content() {
    std::vector<uint8_t> bytes;
    std::vector<uint8_t> chunk(kChunk);
    while (true) {
      const la_ssize_t count = archive_read_data(archive_.get(), chunk.data(), chunk.size());
      if (count < 0) fail();
      if (count == 0) return bytes;
      if (bytes.size() + static_cast<size_t>(count) > kMaxDataBytes)
        fail(fmt::format("a file in it is longer than {} bytes", kMaxDataBytes));
      bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + count);
    }
  }

  [[noreturn]] void fail(const std::string& what = "") {
    const char* said = archive_error_string(archive_.get());
    throw DataError(fmt::format("{} is not the archive that it should be: {}; get it again", path_,
                                !what.empty() ? what
                                : said        ? printable(said)
                                              : "it cannot be read"));
  }

 private:
  std::string path_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;
  archive_entry* entry_ = nullptr;
  int entries_ = 0;
};

}  // namespace

std::map<std::string, std::vector<uint8_t>> unpack_tar_gz(const std::string& path,
                                                          const std::vector<std::string>& wanted) {
  data_file_bytes(path);
  Reader reader(path);
  std::map<std::string, std::vector<uint8_t>> files;
  while (reader.next()) {
    const std::string name = reader.file_name();
    if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    if (files.contains(name)) reader.fail(fmt::format("it has {} twice", name));
    files[name] = reader.content();
  }
  for (const std::string& name : wanted)
    if (!files.contains(name)) reader.fail(fmt::format("it has no {}", name));
  return files;
}

}  // namespace signstep
