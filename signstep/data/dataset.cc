// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/dataset.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/data/read_file.h"
#include "signstep/io/checksum.h"

namespace signstep {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is not there
  return fs::is_regular_file(path, ignored);
}

// The path of a file in a folder, or "" when it is not there.
std::string locate(const std::string& folder, const DataFile& file, const DatasetReader& reader) {
  const fs::path plain = fs::path(folder) / file.name;
  if (is_file(plain)) return plain.string();
  const std::string packed = plain.string() + ".gz";
  return reader.unpack && is_file(packed) ? packed : "";
}

// The first folder that holds every file, from the root.
std::string find_folder(const DatasetSpec& spec, const std::string& data_option) {
  std::string looked;
  for (const std::string& folder : dataset_search_path(spec, data_option)) {
    std::vector<std::string> missing;
    for (const DataFile& file : spec.files) {
      if (locate(folder, file, *spec.reader).empty()) missing.push_back(file.name);
    }
    std::error_code ignored;
    if (missing.empty()) {
      const fs::path whole = fs::absolute(folder, ignored);
      if (ignored) return folder;
      // Without .. and ., unless a link on the way gives .. another meaning.
      const fs::path plain = whole.lexically_normal();
      return (fs::equivalent(plain, whole, ignored) ? plain : whole).string();
    }
    looked += fs::is_directory(folder, ignored) ? fmt::format("\n  {}: without {}", folder, fmt::join(missing, ", "))
                                                : fmt::format("\n  {}: no such folder", folder);
  }
  throw DataError(fmt::format("data set {} not found; looked for its {} files in{}\n{}; see docs/data.md", spec.name,
                              spec.files.size(), looked, spec.advice));
}

// MNIST and Fashion-MNIST share their file names, so the one is easily taken for the other.
void refuse_another(const DatasetSpec& spec, const std::string& checksum, const std::string& path) {
  for (const DatasetSpec& other : datasets()) {
    if (other.name == spec.name) continue;
    for (const DataFile& file : other.files) {
      if (file.checksum != checksum) continue;
      throw DataError(fmt::format("{} is {} of {}; wanted {}; give the right folder as --data", path, file.name,
                                  other.name, spec.name));
    }
  }
}

void require_own_size(const DatasetSpec& spec, int64_t image_size) {
  if (image_size == 0) return;
  throw OptionError(
      fmt::format("image_size is {}, and images of {} are {} x {}; it is for --dataset folder: leave it out",
                  image_size, spec.name, spec.height, spec.width));
}

void require_label_each(size_t labels, size_t images, const std::string& path) {
  if (labels == images) return;
  throw DataError(
      fmt::format("{} has {} labels; wanted {}, one per image beside it; get both files again", path, labels, images));
}

// One file's content, with its record appended to files.
std::vector<uint8_t> read_content(const DatasetSpec& spec, const DataFile& file, const std::string& path,
                                  std::vector<SourceFile>& files) {
  std::vector<uint8_t> bytes = read_data_file(path);
  files.push_back({.path = path, .bytes = bytes.size(), .sha256 = sha256_hex(std::as_bytes(std::span(bytes)))});
  if (spec.reader->unpack) bytes = spec.reader->unpack(std::move(bytes), file, path);
  const std::string checksum = spec.checksum(std::as_bytes(std::span(bytes)));
  files.back().official = checksum == file.checksum;
  refuse_another(spec, checksum, path);
  return bytes;
}

}  // namespace

bool Dataset::official() const {
  return !files.empty() && std::all_of(files.begin(), files.end(), [](const SourceFile& f) { return f.official; });
}

std::string Dataset::checksum() const {
  std::vector<std::span<const std::byte>> parts;
  for (const ImageSet* set : {&train, &test}) {
    parts.push_back(std::as_bytes(std::span(set->pixels)));
    parts.push_back(std::as_bytes(std::span(set->labels)));
  }
  return sha256_hex(parts);
}

std::vector<std::string> dataset_search_path(const DatasetSpec& spec, const std::string& data_option) {
  std::vector<std::string> roots;
  if (!data_option.empty()) {
    roots = {data_option};
  } else {
    const char* variable = std::getenv("SIGNSTEP_DATA");
    if (variable && *variable) roots.emplace_back(variable);
    roots.insert(roots.end(), {"data", "/usr/share/datasets"});
  }
  std::vector<std::string> folders;
  for (const std::string& root : roots) {
    folders.push_back(root);
    for (const std::string& folder : spec.folders) folders.push_back((fs::path(root) / folder).string());
  }
  return folders;
}

Dataset load_dataset(const std::string& name, const std::string& data_option, const std::string& labels,
                     int64_t image_size) {
  const DatasetSpec& spec = find_dataset(name);
  const size_t kind = label_kind(spec, labels);
  if (spec.folder_reader) return spec.folder_reader->load(spec, data_option, image_size);
  require_own_size(spec, image_size);
  const ImageSet empty{.channels = spec.channels,
                       .height = spec.height,
                       .width = spec.width,
                       .classes = spec.labels[kind].classes,
                       .pixels = {},
                       .labels = {}};
  Dataset dataset{.spec = &spec,
                  .train = empty,
                  .test = empty,
                  .class_names = spec.labels[kind].names,
                  .normalization = spec.normalization,
                  .files = {},
                  .folder = find_folder(spec, data_option)};
  for (const DataFile& file : spec.files) {
    const std::string path = locate(dataset.folder, file, *spec.reader);
    ImageSet& set = file.train ? dataset.train : dataset.test;
    spec.reader->append(spec, file, kind, read_content(spec, file, path, dataset.files), path, set);
    if (file.holds == Holds::kLabels) require_label_each(set.count(), set.pixels.size() / set.image_size(), path);
  }
  return dataset;
}

DatasetCounts official_counts(const DatasetSpec& spec, const std::string& labels) {
  return {.train = spec.train_images,
          .test = spec.test_images,
          .channels = spec.channels,
          .height = spec.height,
          .width = spec.width,
          .classes = spec.labels[label_kind(spec, labels)].classes};
}

DatasetCounts count_dataset(const std::string& name, const std::string& data_option, const std::string& labels,
                            int64_t image_size) {
  const DatasetSpec& spec = find_dataset(name);
  DatasetCounts counts = official_counts(spec, labels);
  if (spec.folder_reader) return spec.folder_reader->count(spec, data_option, image_size);
  require_own_size(spec, image_size);
  counts.folder = find_folder(spec, data_option);
  counts.train = counts.test = 0;
  for (const DataFile& file : spec.files) {
    const std::string path = locate(counts.folder, file, *spec.reader);
    const size_t count = spec.reader->count(spec, file, path);
    size_t& images = file.train ? counts.train : counts.test;
    if (file.holds == Holds::kLabels) {
      require_label_each(count, images, path);
    } else {
      images += count;
    }
  }
  return counts;
}

}  // namespace signstep
