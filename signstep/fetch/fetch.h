// SPDX-License-Identifier: Apache-2.0
// A data set from its official place into a folder, whole or not at all.
#pragma once

#include <string>
#include <vector>

#include "signstep/data/dataset_spec.h"
#include "signstep/fetch/download.h"
#include "signstep/fetch/sources.h"

namespace signstep {

class FetchObserver {
 public:
  virtual ~FetchObserver() = default;
  virtual void progress(const std::string& /*file*/, uint64_t /*bytes*/, uint64_t /*total*/) {}
  virtual void note(const std::string& /*message*/) {}
};

struct Fetched {
  std::string folder;      // that holds the files
  bool was_there = false;  // and nothing was done
};

// The set's files go into FOLDER/NAME, NAME as the set's archive or torchvision calls it. Each is checked against its
// published MD5 on the way, and FOLDER/NAME appears when all are there. Until then they lie in FOLDER/.fetch-DATASET,
// where an interrupted fetch is continued; one process at a time works in it. An archive that lies in FOLDER under its
// own name is taken instead of the network's, and stays. Throws DataError for a file with another checksum, which is
// removed where it was downloaded; EnvironmentError where the network or the disk refuses, with what to put where.
Fetched fetch_dataset(const DatasetSpec& spec, const std::vector<Source>& sources, const std::string& folder,
                      FetchObserver& observer);

}  // namespace signstep
