// SPDX-License-Identifier: Apache-2.0
// How much processor time a container or a batch system grants, where it grants less than the cores that are there.
#pragma once

#include <optional>
#include <string>

namespace signstep {

// In cores, such as 1.5: the smallest quota of this process's control group and those above it. None where nothing
// limits it or nothing can be read. membership: /proc/self/cgroup; mount: /sys/fs/cgroup, version 1 or 2.
std::optional<double> cpu_quota(const std::string& membership = "/proc/self/cgroup",
                                const std::string& mount = "/sys/fs/cgroup");

}  // namespace signstep
