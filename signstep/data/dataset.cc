// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/dataset.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/data/idx.h"
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
std::string locate(const std::string& folder, const CatalogFile& file, DatasetFormat format) {
  const fs::path plain = fs::path(folder) / file.name;
  if (is_file(plain)) return plain.string();
  const std::string packed = plain.string() + ".gz";
  return format == DatasetFormat::kIdx && is_file(packed) ? packed : "";
}

// The first folder that holds every file.
std::string find_folder(DatasetKind kind, const std::string& data_option) {
  const CatalogEntry& entry = catalog(kind);
  std::string looked;
  for (const std::string& folder : dataset_search_path(kind, data_option)) {
    std::vector<std::string> missing;
    for (const CatalogFile& file : entry.files) {
      if (locate(folder, file, entry.format).empty()) missing.push_back(file.name);
    }
    if (missing.empty()) return folder;
    std::error_code ignored;
    looked += fs::is_directory(folder, ignored) ? fmt::format("\n  {}: without {}", folder, fmt::join(missing, ", "))
                                                : fmt::format("\n  {}: no such folder", folder);
  }
  throw DataError(fmt::format("data set {} not found; looked for its {} files in{}\n{}; see docs/data.md", entry.name,
                              entry.files.size(), looked, entry.advice));
}

// MNIST and Fashion-MNIST share their file names, so the one is easily taken for the other.
void refuse_another(DatasetKind kind, const std::string& md5, const std::string& path) {
  for (DatasetKind other : {DatasetKind::kFashionMnist, DatasetKind::kMnist}) {
    if (other == kind) continue;
    for (const CatalogFile& file : catalog(other).files) {
      if (file.md5 != md5) continue;
      throw DataError(fmt::format("{} is {} of {}; wanted {}; give the right folder as --data", path, file.name,
                                  dataset_name(other), dataset_name(kind)));
    }
  }
}

// One file's content, unpacked where it is an IDX file of that rank (0: it is none), with its record appended to files.
std::vector<uint8_t> read_content(const CatalogFile& file, DatasetKind kind, size_t idx_rank, Dataset& dataset) {
  const std::string path = locate(dataset.folder, file, catalog(kind).format);
  std::vector<uint8_t> bytes = read_data_file(path);
  dataset.files.push_back({.path = path, .bytes = bytes.size(), .sha256 = sha256_hex(std::as_bytes(std::span(bytes)))});
  if (idx_rank > 0) bytes = unpack_idx(std::move(bytes), idx_rank, path);
  const std::string md5 = md5_hex(std::as_bytes(std::span(bytes)));
  dataset.files.back().official = !file.md5.empty() && md5 == file.md5;
  refuse_another(kind, md5, path);
  return bytes;
}

void load_cifar(Dataset& dataset, CifarLabels labels) {
  const CifarLayout layout{dataset.kind == DatasetKind::kCifar10 ? size_t{1} : size_t{2}, labels};
  for (const CatalogFile& file : catalog(dataset.kind).files) {
    const std::vector<uint8_t> bytes = read_content(file, dataset.kind, 0, dataset);
    append_cifar(bytes, layout, dataset.files.back().path, file.train ? dataset.train : dataset.test);
  }
}

void take_idx_images(IdxArray array, const std::string& path, ImageSet& set) {
  if (array.sizes[1] != 28 || array.sizes[2] != 28) {
    throw DataError(fmt::format("{} has images of {} x {}; wanted 28 x 28; is it another data set?", path,
                                array.sizes[1], array.sizes[2]));
  }
  set = {.channels = 1, .height = 28, .width = 28, .classes = 10, .pixels = std::move(array.values), .labels = {}};
}

void take_idx_labels(IdxArray array, const std::string& path, ImageSet& set) {
  const size_t images = set.pixels.size() / set.image_size();
  if (array.values.size() != images) {
    throw DataError(fmt::format("{} has {} labels; wanted {}, one per image beside it; get both files again", path,
                                array.values.size(), images));
  }
  for (size_t i = 0; i < images; ++i) {
    if (array.values[i] >= set.classes) {
      throw DataError(fmt::format("{}: record {} has label {}; wanted 0 to {}; is it another data set's file?", path, i,
                                  array.values[i], set.classes - 1));
    }
  }
  set.labels = std::move(array.values);
}

void load_idx(Dataset& dataset) {
  bool images = true;  // they come before their labels in the catalog
  for (const CatalogFile& file : catalog(dataset.kind).files) {
    const size_t rank = images ? 3 : 1;
    const std::vector<uint8_t> bytes = read_content(file, dataset.kind, rank, dataset);
    const std::string& path = dataset.files.back().path;
    const auto take = images ? take_idx_images : take_idx_labels;
    take(parse_idx(bytes, rank, path), path, file.train ? dataset.train : dataset.test);
    images = !images;
  }
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

std::vector<std::string> dataset_search_path(DatasetKind kind, const std::string& data_option) {
  std::vector<std::string> roots;
  if (!data_option.empty()) {
    roots = {data_option};
  } else {
    const char* variable = std::getenv("SIGNSTEP_DATA");
    if (variable && *variable) roots.push_back(variable);
    roots.insert(roots.end(), {"data", "/usr/share/datasets"});
  }
  std::vector<std::string> folders;
  for (const std::string& root : roots) {
    folders.push_back(root);
    for (const std::string& folder : catalog(kind).folders) folders.push_back((fs::path(root) / folder).string());
  }
  return folders;
}

Dataset load_dataset(DatasetKind kind, const std::string& data_option, CifarLabels labels) {
  if (labels == CifarLabels::kCoarse && kind != DatasetKind::kCifar100) {
    throw OptionError(
        fmt::format("data set {} has no coarse labels; wanted cifar100, or fine labels", dataset_name(kind)));
  }
  Dataset dataset;
  dataset.kind = kind;
  dataset.folder = find_folder(kind, data_option);
  if (catalog(kind).format == DatasetFormat::kCifar) {
    load_cifar(dataset, labels);
  } else {
    load_idx(dataset);
  }
  return dataset;
}

}  // namespace signstep
