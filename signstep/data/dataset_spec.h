// SPDX-License-Identifier: Apache-2.0
// A data set as one record: all that is known of it before a byte is read, and how its files are read. One record a
// file under data/sets, one line each in the table of catalog.cc; docs/data.md says where every number comes from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signstep/data/image_set.h"
#include "signstep/data/normalize.h"
#include "signstep/io/checksum.h"

namespace signstep {

struct DatasetSpec;
struct Dataset;
struct DatasetCounts;

// One way to label the same images.
struct LabelKind {
  std::string name;                     // "fine" for a set that has only one
  int classes;                          // labels are 0 to classes - 1, at most 256
  std::vector<std::string> names = {};  // what each class is called
};

enum class Holds { kImagesAndLabels, kImages, kLabels };

struct DataFile {
  std::string name;
  std::string checksum;  // published, of the uncompressed content; "" where only an archive's is published
  bool train;            // else of the test set
  Holds holds = Holds::kImagesAndLabels;
};

// A file format. path only names the source in messages; each throws DataError for a damaged file.
struct DatasetReader {
  // The content of what is on disk, for files that may be packed and then carry a further ".gz"; nullptr: never packed.
  std::vector<uint8_t> (*unpack)(std::vector<uint8_t> bytes, const DataFile& file, const std::string& path);
  // Adds the images, the labels of that kind (an index into spec.labels), or both to set, whose shape and classes are
  // those of spec. Leaves set unchanged when it throws.
  void (*append)(const DatasetSpec& spec, const DataFile& file, size_t kind, std::span<const uint8_t> content,
                 const std::string& path, ImageSet& set);
  // Images, or labels where it holds only these, by the file's length or header: its content is not read.
  size_t (*count)(const DatasetSpec& spec, const DataFile& file, const std::string& path);
};

// How a set is read that is what lies in a folder, not files of known names. data: that folder, as --data says.
struct FolderReader {
  Dataset (*load)(const DatasetSpec& spec, const std::string& data, int64_t image_size);
  DatasetCounts (*count)(const DatasetSpec& spec, const std::string& data, int64_t image_size);
};

struct DatasetSpec {
  std::string name;               // of --dataset
  int channels, height, width;    // height and width 0: the folder says
  std::vector<LabelKind> labels;  // in the order of a record's label bytes
  size_t train_images, test_images;
  Normalization normalization;       // of the official training images as they are, to four digits
  std::vector<DataFile> files;       // training before test, images before their labels
  std::vector<std::string> folders;  // sub-folders in which archives, packages and other tools leave the files
  std::string advice;                // how to get it, for the error message
  const DatasetReader* reader;
  std::string (*checksum)(std::span<const std::byte>) = md5_hex;  // how those of files are made
  const FolderReader* folder_reader = nullptr;                    // then there are no files and no reader

  size_t image_bytes() const { return static_cast<size_t>(channels) * height * width; }
};

}  // namespace signstep
