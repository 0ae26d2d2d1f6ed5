// SPDX-License-Identifier: Apache-2.0
#include "signstep/base/cpu_quota.h"

#include <fmt/format.h>

#include <fstream>

namespace signstep {
namespace {

// "200000 100000" or "max 100000" (version 2).
std::optional<double> quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? std::optional(quota / period) : std::nullopt;
}

// A quota of -1 is none (version 1).
std::optional<double> quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? std::optional(quota / period)
                                                                                 : std::nullopt;
}

// In a container the path may be the host's: what is not there limits nothing, and its parents are asked too.
std::optional<double> smallest(std::optional<double> (*quota)(const std::string&), const std::string& root,
                               std::string path) {
  std::optional<double> least;
  for (;;) {
    if (const auto q = quota(root + path); q && (!least || *q < *least)) least = q;
    if (path.empty()) return least;
    path.erase(path.find_last_of('/'));
  }
}

}  // namespace

std::optional<double> cpu_quota(const std::string& membership, const std::string& mount) {
  std::ifstream file(membership);
  for (std::string line; std::getline(file, line);) {  // "0::/user.slice" or "4:cpu,cpuacct:/user.slice"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    std::string path = line.substr(second + 1);
    if (path.find_first_not_of('/') == std::string::npos) path.clear();
    if (!path.empty() && path.front() != '/') continue;
    if (line.starts_with("0::")) {
      if (const auto q = smallest(quota_v2, mount, path)) return q;
    } else if (controllers.find(",cpu,") != std::string::npos) {
      if (const auto q = smallest(quota_v1, mount + "/cpu", path)) return q;
    }
  }
  return std::nullopt;
}

}  // namespace signstep
