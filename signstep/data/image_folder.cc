// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/image_folder.h"

#include <algorithm>
#include <filesystem>

#include "signstep/base/error.h"
#include "signstep/data/dataset.h"
#include "signstep/data/picture.h"
#include "signstep/io/label.h"
#include "signstep/io/path.h"

namespace signstep {
namespace {

struct LabelledFile {
  std::string path;
  uint8_t label;
};

bool is_picture_name(const std::string& name) {
  std::string end = std::filesystem::path(name).extension().string();
  std::transform(end.begin(), end.end(), end.begin(), [](unsigned char c) { return std::tolower(c); });
  return end == ".png" || end == ".jpg" || end == ".jpeg";
}

bool is_hidden(const std::string& name) { return name.starts_with('.'); }

std::vector<std::string> class_folders(const std::string& folder) {
  if (!is_folder(folder))
    throw DataError(
        fmt::format("there is no folder {}; wanted train and test there, with a folder of pictures for each "
                    "class (docs/data.md)",
                    folder));
  std::vector<std::string> classes;
  for (const std::string& name : names_in(folder)) {
    if (is_hidden(name)) continue;
    if (!is_folder(folder + "/" + name))
      throw DataError(fmt::format("{}/{} is no folder; wanted one for each class; move it away", folder, name));
    classes.push_back(name);
  }
  return classes;
}

std::vector<std::string> find_classes(const std::string& data) {
  const std::vector<std::string> classes = class_folders(data + "/train");
  if (classes.size() < 2 || classes.size() > 256)
    throw DataError(fmt::format("{}/train has {} folders; wanted 2 to 256, one for each class", data, classes.size()));
  return classes;
}

// part: "train" or "test".
std::vector<LabelledFile> find_files(const std::string& data, const std::string& part,
                                     const std::vector<std::string>& classes) {
  std::vector<LabelledFile> files;
  std::vector<bool> seen(classes.size());
  for (const std::string& name : class_folders(data + "/" + part)) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    const std::string folder = data + "/" + part + "/" + name;
    if (found == classes.end())
      throw DataError(fmt::format("{} is of a class that {}/train has not; rename or remove it", folder, data));
    for (const std::string& file : names_in(folder)) {
      if (is_hidden(file)) continue;
      if (!is_picture_name(file))
        throw DataError(fmt::format("{}/{} is no .png, .jpg or .jpeg file; convert it, or move it away", folder, file));
      files.push_back({folder + "/" + file, static_cast<uint8_t>(found - classes.begin())});
      seen[files.back().label] = true;
    }
  }
  if (files.empty()) throw DataError(fmt::format("{}/{} holds no picture; put some there", data, part));
  const auto none = std::find(seen.begin(), seen.end(), false);
  if (part == "train" && none != seen.end())
    throw DataError(fmt::format("{}/{}/{} holds no picture; put some there, or remove the folder, which is a class",
                                data, part, classes[static_cast<size_t>(none - seen.begin())]));
  return files;
}

// A set's pictures have the size of the first one, where they are not resized.
Picture read_one(const std::string& path, int64_t image_size, int side) {
  const Picture p = read_picture(path);
  if (image_size > 0) return resized(p, static_cast<int>(image_size), static_cast<int>(image_size));
  if (p.width == p.height && (side == 0 || p.width == side)) return p;
  throw DataError(fmt::format("{} has {} x {} pixels; wanted {}; with --image-size N all are cut to squares and scaled",
                              path, p.width, p.height, side == 0 ? "a square" : fmt::format("{0} x {0}", side)));
}

void append(const std::vector<LabelledFile>& files, int64_t image_size, ImageSet& set) {
  for (const LabelledFile& file : files) {
    const Picture p = read_one(file.path, image_size, set.width);
    set.height = set.width = p.width;
    const std::vector<uint8_t> pixels = planes(p, set.channels);
    set.pixels.insert(set.pixels.end(), pixels.begin(), pixels.end());
    set.labels.push_back(file.label);
  }
}

void require_folder(const DatasetSpec& spec, const std::string& data) {
  if (data.empty()) throw OptionError(fmt::format("data set {} is what lies in a folder; {}", spec.name, spec.advice));
}

Dataset load(const DatasetSpec& spec, const std::string& data, int64_t image_size) {
  require_folder(spec, data);
  Dataset set;
  set.spec = &spec;
  set.class_names = find_classes(data);
  set.normalization = spec.normalization;
  set.folder = data;
  set.train.channels = spec.channels;
  set.train.classes = static_cast<int>(set.class_names.size());
  const std::vector<LabelledFile> train = find_files(data, "train", set.class_names),
                                  test = find_files(data, "test", set.class_names);
  append(train, image_size, set.train);
  set.test.channels = set.train.channels;
  set.test.classes = set.train.classes;
  set.test.height = set.test.width = set.train.width;
  append(test, image_size, set.test);
  // They stand in tables and files; folders may have any name.
  std::transform(set.class_names.begin(), set.class_names.end(), set.class_names.begin(), printable);
  return set;
}

DatasetCounts count(const DatasetSpec& spec, const std::string& data, int64_t image_size) {
  require_folder(spec, data);
  const std::vector<std::string> classes = find_classes(data);
  const std::vector<LabelledFile> train = find_files(data, "train", classes), test = find_files(data, "test", classes);
  const int side = read_one(train.front().path, image_size, 0).width;
  return {.train = train.size(),
          .test = test.size(),
          .folder = data,
          .channels = spec.channels,
          .height = side,
          .width = side,
          .classes = static_cast<int>(classes.size())};
}

}  // namespace

const FolderReader kImageFolderReader = {.load = load, .count = count};

}  // namespace signstep
