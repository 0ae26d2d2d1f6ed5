// SPDX-License-Identifier: Apache-2.0
// What lies at a path. std::filesystem's questions throw an error of their own for a name of 300 characters.
#pragma once

#include <string>
#include <vector>

namespace signstep {

// Whether there is a file or folder of that name, and whether it is a folder; links are followed. Throws
// EnvironmentError when the system does not say: a name that is too long, a folder on the way that must not be
// searched, a loop of links.
bool path_exists(const std::string& path);
bool is_folder(const std::string& path);

// Throws EnvironmentError where nothing is there; wanted: what to name instead, as "a run folder".
void require_path(const std::string& path, const std::string& wanted);

// The names in a folder, sorted; none where there is no folder. Throws EnvironmentError when it cannot be read.
std::vector<std::string> names_in(const std::string& folder);

}  // namespace signstep
