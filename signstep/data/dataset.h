// SPDX-License-Identifier: Apache-2.0
// Finds and reads a whole data set: signstep never downloads and never writes data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signstep/data/catalog.h"
#include "signstep/data/image_set.h"

namespace signstep {

struct SourceFile {
  std::string path;
  uint64_t bytes = 0;     // on disk
  std::string sha256;     // of the bytes on disk
  bool official = false;  // the uncompressed content has the published checksum; false also where none is published
};

struct Dataset {
  const DatasetSpec* spec = nullptr;  // of the table
  ImageSet train, test;
  std::vector<std::string> class_names;  // by label
  Normalization normalization;
  std::vector<SourceFile> files;
  std::string folder;  // from the root; of pictures as it was named

  bool official() const;  // every file is
  // SHA-256 of training pixels, training labels, test pixels and test labels in a row, so it does not depend on
  // packing, but does on the kind of labels. Computed anew on each call: about 0.2 s for CIFAR.
  std::string checksum() const;
};

// The folders that are looked into, in order: those of data_option alone when it is not empty, else of $SIGNSTEP_DATA,
// ./data and /usr/share/datasets. Each stands for itself and its usual sub-folders.
std::vector<std::string> dataset_search_path(const DatasetSpec& spec, const std::string& data_option);

// Reads the first folder that holds every file, or what lies in data_option where the set is a folder's. image_size:
// the side to which a folder's pictures are brought; 0: they have one size. Throws DataError that lists every folder
// and what it lacks when none does, and for any damaged file; OptionError for a name that is not in the table, labels
// that the set has not, or an image_size for a set whose images have theirs.
Dataset load_dataset(const std::string& name, const std::string& data_option, const std::string& labels = "fine",
                     int64_t image_size = 0);

struct DatasetCounts {
  size_t train = 0, test = 0;  // images
  std::string folder = {};
  int channels = 0, height = 0, width = 0, classes = 0;
};

// What load_dataset would find, from the files' lengths and headers: the images are not read, so damage among them is
// not seen. Throws as load_dataset does.
DatasetCounts count_dataset(const std::string& name, const std::string& data_option, const std::string& labels = "fine",
                            int64_t image_size = 0);

// The same of the official set, for which no file is asked.
DatasetCounts official_counts(const DatasetSpec& spec, const std::string& labels);

}  // namespace signstep
