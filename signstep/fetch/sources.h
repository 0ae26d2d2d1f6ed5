// SPDX-License-Identifier: Apache-2.0
// Where a data set's official files are to be had, and their published checksums (docs/data.md says by whom).
#pragma once

#include <string>
#include <vector>

namespace signstep {

struct Source {
  std::string url;  // https; its last part is the file's name
  std::string md5;  // of the file as it is downloaded
  std::string name() const { return url.substr(url.rfind('/') + 1); }
  bool is_archive() const { return url.ends_with(".tar.gz"); }  // else a file of the set itself
};

// Throws OptionError for a set that cannot be fetched.
std::vector<Source> official_sources(const std::string& dataset);

// The same files below another address, "https://mirror/folder".
std::vector<Source> mirrored(std::vector<Source> sources, const std::string& address);

}  // namespace signstep
