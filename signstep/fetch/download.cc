// SPDX-License-Identifier: Apache-2.0
#include "signstep/fetch/download.h"

#include <curl/curl.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "signstep/base/error.h"
#include "signstep/base/version.h"

namespace signstep {
namespace {

constexpr long kConnectSeconds = 30;
constexpr long kOk = 200, kPartial = 206, kRangeNotSatisfiable = 416;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;
using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

// What libcurl's callbacks work on.
struct Transfer {
  CURL* curl;
  std::string path;
  const DownloadProgress& progress;
  uint64_t had = 0;  // bytes of an earlier try
  File file = {};    // opened when the first byte comes: only then it is known whether the server continues
  uint64_t size = 0;
  bool disk_refused = false, too_long = false;

  long status() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }
};

size_t write(char* data, size_t one, size_t count, void* where) {
  Transfer& t = *static_cast<Transfer*>(where);
  const size_t bytes = one * count;
  const long status = t.status();
  if (status != kOk && status != kPartial) return bytes;  // the server's page about its refusal
  if (!t.file) {
    if (status == kOk) t.had = 0;
    t.size = t.had;
    t.file.reset(std::fopen(t.path.c_str(), status == kPartial ? "ab" : "wb"));
  }
  t.too_long = t.size + bytes > kMaxDownload;
  if (t.too_long) return 0;
  t.disk_refused = !t.file || std::fwrite(data, 1, bytes, t.file.get()) != bytes;
  if (t.disk_refused) return 0;
  t.size += bytes;
  return bytes;
}

int tell(void* where, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  const Transfer& t = *static_cast<Transfer*>(where);
  if (t.file) t.progress(t.size, total > 0 ? static_cast<uint64_t>(total) + t.had : 0);
  return 0;
}

std::string part_of(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), &curl_url_cleanup);
  char* text = nullptr;
  if (!parts || curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parts.get(), part, &text, 0) != CURLUE_OK)
    return "";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return text;
}

// As libcurl reads the address: http://127.0.0.1:1@elsewhere is elsewhere's.
bool is_this_machine(const std::string& url) {
  const std::string host = part_of(url, CURLUPART_HOST);
  return part_of(url, CURLUPART_SCHEME) == "http" && (host == "127.0.0.1" || host == "[::1]");
}

void require_secure(const std::string& url) {
  if (url.starts_with("https://") || is_this_machine(url)) return;
  throw OptionError(fmt::format("{} is no https address; what comes by another way can be changed on its way", url));
}

}  // namespace

void download(const std::string& url, const std::string& path, const DownloadProgress& progress, long stall_seconds) {
  require_secure(url);
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const Handle handle(ready == CURLE_OK ? curl_easy_init() : nullptr, &curl_easy_cleanup);
  if (!handle) throw EnvironmentError("libcurl does not start; memory may be out");
  CURL* curl = handle.get();
  std::error_code ignored;
  const uintmax_t there = std::filesystem::file_size(path, ignored);
  Transfer transfer{.curl = curl, .path = path, .progress = progress, .had = ignored ? 0 : there};
  const bool here = is_this_machine(url);
  const char* protocols = here ? "http" : "https";
  const std::string agent = std::string("signstep/") + version();
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, here ? 0L : 1L);  // not by http to elsewhere
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, agent.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall_seconds);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  if (transfer.had > 0) curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.had));
  const CURLcode result = curl_easy_perform(curl);
  const bool flushed = !transfer.file || std::fflush(transfer.file.get()) == 0;
  const long status = transfer.status();
  if (transfer.disk_refused || !flushed)
    throw_errno("write", path, "check the folder's permissions and the free space");
  if (transfer.too_long)
    throw EnvironmentError(fmt::format("{} is longer than {} bytes; it is another file", url, kMaxDownload));
  if (status == kRangeNotSatisfiable && transfer.had > 0) return;  // there is no more than what is there already
  // A server that ignores the range is an error to libcurl, where the file is not the beginning's: it is told as 200.
  if (result == CURLE_RANGE_ERROR && transfer.had > 0) {
    std::filesystem::remove(path, ignored);
    download(url, path, progress, stall_seconds);
    return;
  }
  if (result != CURLE_OK)
    throw EnvironmentError(fmt::format("cannot get {}: {}", url, *message ? message : curl_easy_strerror(result)));
  if (status != kOk && status != kPartial)
    throw EnvironmentError(fmt::format("cannot get {}: the server answered with status {}", url, status));
}

}  // namespace signstep
