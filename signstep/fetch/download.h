// SPDX-License-Identifier: Apache-2.0
// One file from the network, by libcurl.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace signstep {

// bytes: of the file so far, those of an earlier try included; total: 0 where the server does not say.
using DownloadProgress = std::function<void(uint64_t bytes, uint64_t total)>;

// More than any data set has here; a longer file is refused.
inline constexpr uint64_t kMaxDownload = uint64_t{1} << 30;

// Continues the file at path where it ends, or begins it; what came before an interruption stays there. Servers that
// cannot continue send it from the beginning. Only https, also after a redirection, and http to this machine itself
// (127.0.0.1, [::1]), which nobody listens in on. Throws OptionError for another address; EnvironmentError where the
// network, the server (with its status) or the disk refuses, or no byte comes for stall_seconds.
void download(const std::string& url, const std::string& path, const DownloadProgress& progress,
              long stall_seconds = 60);

}  // namespace signstep
