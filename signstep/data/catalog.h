// SPDX-License-Identifier: Apache-2.0
// What is known of each data set before a byte of it is read: names, files, published checksums, where it is searched.
// docs/data.md says where every number comes from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signstep {

// In the order of dataset_names(), as OptionList::choice wants it.
enum class DatasetKind { kCifar10, kCifar100, kFashionMnist, kMnist };

enum class DatasetFormat { kCifar, kIdx };

struct CatalogFile {
  std::string name;  // IDX files may carry a further ".gz"
  std::string md5;   // published, of the uncompressed content; "" where only an archive's is published
  bool train;        // else of the test set
};

struct CatalogEntry {
  std::string name;
  DatasetFormat format;
  std::vector<CatalogFile> files;    // training before test; for IDX images before labels
  std::vector<std::string> folders;  // sub-folders in which archives, packages and other tools leave the files
  std::string advice;                // how to get it, for the error message
};

const CatalogEntry& catalog(DatasetKind kind);

const std::string& dataset_name(DatasetKind kind);  // "cifar10", "cifar100", "fashion-mnist", "mnist"
const std::vector<std::string>& dataset_names();    // in the order of DatasetKind
DatasetKind parse_dataset(std::string_view name);   // throws OptionError, naming the nearest known one

}  // namespace signstep
