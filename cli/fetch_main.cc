// SPDX-License-Identifier: Apache-2.0
// signstep-fetch: what `signstep data fetch` becomes. A program of its own, so that the libraries for the network are
// loaded by nobody else.
#include <cstdio>
#include <new>

#include "cli/complain.h"
#include "cli/exit_code.h"
#include "cli/resources.h"
#include "cli/terminal.h"
#include "signstep/base/error.h"
#include "signstep/data/catalog.h"
#include "signstep/data/dataset.h"
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
  if (fetched.was_there && !load_dataset(dataset, fetched.folder).official())
    throw DataError(fmt::format(
        "{} is there already, and its files are not the official ones; move it away to get those", fetched.folder));
  progress.note(
      fmt::format("{} {} in {}", dataset, fetched.was_there ? "is there already," : "is complete,", fetched.folder));
  return 0;
}

}  // namespace
}  // namespace signstep::cli

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("signstep-fetch: run signstep data fetch\n", stderr);
    return 2;
  }
  try {
    signstep::cli::leave(signstep::cli::run(argv[1], argv[2], argv[3]));
  } catch (const signstep::Error& e) {
    signstep::cli::complain(e.what());
    return signstep::cli::exit_code(e.kind());
  } catch (const std::bad_alloc&) {
    signstep::cli::complain("memory is out");
    return signstep::cli::exit_code(signstep::ErrorKind::kEnvironment);
  } catch (const std::exception& e) {
    signstep::cli::complain(fmt::format("internal error: {}", e.what()));
    return signstep::cli::kInternal;
  }
}
