// SPDX-License-Identifier: Apache-2.0
#include "signstep/fetch/fetch.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "signstep/base/error.h"
#include "signstep/data/dataset.h"
#include "signstep/fetch/unpack.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/checksum.h"
#include "signstep/io/folder_lock.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;

std::string md5_of(const std::string& path) {
  const std::vector<uint8_t> bytes = read_file(path, kMaxDownload);
  return md5_hex(std::as_bytes(std::span(bytes)));
}

bool holds_all(const DatasetSpec& spec, const std::string& folder) {
  return std::all_of(spec.files.begin(), spec.files.end(), [&](const DataFile& file) {
    const std::string path = folder + "/" + file.name;
    return path_exists(path) || (spec.reader->unpack && path_exists(path + ".gz"));
  });
}

// Where the loader would find the set, if it is there.
std::optional<std::string> complete_in(const DatasetSpec& spec, const std::string& folder) {
  for (const std::string& place : dataset_search_path(spec, folder))
    if (holds_all(spec, place)) return place;
  return std::nullopt;
}

// What a user without this network can do.
std::string by_hand(const Source& source, const std::string& folder, const std::string& target) {
  if (source.is_archive())
    return fmt::format("get {} in another way, put it into {} and run this again", source.name(), folder);
  return fmt::format("get it and the files beside it in another way and put them into {}", target);
}

// The source's file with the published checksum, from the network or from where a user put it.
std::string obtain(const Source& source, const std::string& folder, const std::string& target, const std::string& work,
                   FetchObserver& observer) {
  if (const std::string placed = folder + "/" + source.name(); source.is_archive() && path_exists(placed)) {
    observer.note(fmt::format("taking {}", placed));
    if (const std::string md5 = md5_of(placed); md5 != source.md5)
      throw DataError(fmt::format("{} has MD5 {}; wanted {}, the published one; get it again, or remove it", placed,
                                  md5, source.md5));
    return placed;
  }
  const std::string whole = work + "/" + source.name(), part = whole + ".part";
  if (path_exists(whole)) return whole;
  observer.note(fmt::format("{} {}", path_exists(part) ? "going on with" : "getting", source.url));
  try {
    download(source.url, part, [&](uint64_t bytes, uint64_t total) { observer.progress(source.name(), bytes, total); });
  } catch (const EnvironmentError& e) {
    std::error_code error;
    const uintmax_t there = fs::file_size(part, error);
    const std::string kept =
        error || there == 0 ? "" : fmt::format("; the first {} bytes are kept, run this again to go on", there);
    throw EnvironmentError(fmt::format("{}{}. Without a network: {}", e.what(), kept, by_hand(source, folder, target)));
  }
  if (const std::string md5 = md5_of(part); md5 != source.md5) {
    fs::remove(part);
    throw DataError(
        fmt::format("what came from {} has MD5 {}; wanted {}, the published one; it was removed: try again, "
                    "or from elsewhere with --from",
                    source.url, md5, source.md5));
  }
  fs::rename(part, whole);
  return whole;
}

void put_file(const std::string& path, const std::vector<uint8_t>& bytes) {
  write_file_atomic(path, {std::as_bytes(std::span(bytes))});
}

void put_unpacked(const DatasetSpec& spec, const std::string& archive, const std::string& to) {
  std::vector<std::string> names;
  for (const DataFile& file : spec.files) names.push_back(file.name);
  const auto files = unpack_tar_gz(archive, names);
  for (const DataFile& file : spec.files) {
    const std::vector<uint8_t>& bytes = files.at(file.name);
    if (spec.checksum(std::as_bytes(std::span(bytes))) != file.checksum)
      throw DataError(fmt::format("{} in {} is not the official file; get the archive again", file.name, archive));
    put_file(to + "/" + file.name, bytes);
  }
}

}  // namespace

Fetched fetch_dataset(const DatasetSpec& spec, const std::vector<Source>& sources, const std::string& folder,
                      FetchObserver& observer) {
  const std::string target = folder + "/" + spec.folders.front();
  if (const auto there = complete_in(spec, folder)) return {*there, true};
  if (path_exists(target))
    throw DataError(
        fmt::format("{} exists and lacks files of {}; move it away, or complete it by hand", target, spec.name));
  const std::string work = folder + "/.fetch-" + spec.name, ready = work + "/ready";
  make_folders(work);
  const FolderLock lock(work);
  if (const auto there = complete_in(spec, folder)) return {*there, true};  // by another fetch, meanwhile
  try {
    fs::remove_all(ready);
    make_folders(ready);
    for (const Source& source : sources) {
      const std::string file = obtain(source, folder, target, work, observer);
      if (source.is_archive()) {
        observer.note(fmt::format("unpacking {}", source.name()));
        put_unpacked(spec, file, ready);
      } else {
        put_file(ready + "/" + source.name(), read_file(file, kMaxDownload));
      }
    }
  } catch (const fs::filesystem_error& e) {
    throw EnvironmentError(fmt::format("{}; check the folder's permissions", e.what()));
  }
  make_folders(fs::path(target).parent_path().string());
  std::error_code error;
  fs::rename(ready, target, error);
  if (error) {
    errno = error.value();
    throw_errno("rename to", target, "check the folder's permissions");
  }
  fs::remove_all(work, error);  // what cannot be removed is in nobody's way
  return {target, false};
}

}  // namespace signstep
