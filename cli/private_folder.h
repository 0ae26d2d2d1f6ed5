// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace signstep {

// A folder that nobody else can name or enter beforehand. It goes with the object, with all that is in it. Throws
// EnvironmentError where none can be made.
class PrivateFolder {
 public:
  explicit PrivateFolder(const std::string& purpose);  // "bench": part of its name
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

}  // namespace signstep
