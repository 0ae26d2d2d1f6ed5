// SPDX-License-Identifier: Apache-2.0
// signstep-fetch: what `signstep data fetch` becomes. A program of its own, so that the libraries for the network are
// loaded by nobody else.
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "signstep/base/error.h"
#include "signstep/data/catalog.h"
#include "signstep/fetch/fetch.h"

namespace signstep::cli {
namespace {

class Progress final : public FetchObserver {
 public:
  void progress(const std::string& file, uint64_t bytes, uint64_t total) override {
    if (!live_.due()) return;
    const double mib = static_cast<double>(bytes) / (1 << 20), all = static_cast<double>(total) / (1 << 20);
    const std::string text = total == 0 ? fmt::format("{}  {:.1f} MiB", file, mib)
                                        : fmt::format("{}  {:3.0f} % of {:.1f} MiB", file, 100 * mib / all, all);
    if (live_.draws()) {
      live_.draw(text);
    } else {
      note(text);
    }
  }
  void note(const std::string& message) override { live_.line(message); }

 private:
  LiveText live_{true, std::chrono::milliseconds(200), std::chrono::seconds(30)};
};

// DATASET FOLDER MIRROR, the last "" for the official place.
int run(const std::string& dataset, const std::string& folder, const std::string& mirror) {
  std::vector<Source> sources = official_sources(dataset);
  if (!mirror.empty()) sources = mirrored(sources, mirror);
  Progress progress;
  const Fetched fetched = fetch_dataset(find_dataset(dataset), sources, folder, progress);
  progress.note(
      fmt::format("{} {} in {}", dataset, fetched.was_there ? "is there already," : "is complete,", fetched.folder));
  return 0;
}

}  // namespace
}  // namespace signstep::cli

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "signstep-fetch: run signstep data fetch\n");
    return 2;
  }
  try {
    return signstep::cli::run(argv[1], argv[2], argv[3]);
  } catch (const signstep::Error& e) {
    fmt::print(stderr, "signstep: {}\n", e.what());
    return signstep::cli::exit_code(e.kind());
  } catch (const std::exception& e) {
    fmt::print(stderr, "signstep: internal error: {}\n", e.what());
    return signstep::cli::kInternal;
  }
}
