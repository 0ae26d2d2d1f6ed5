// SPDX-License-Identifier: Apache-2.0
// signstep data: what was found where, counts, checksums, whether it is the official set; and fetching one.
#include <unistd.h>

#include <array>
#include <filesystem>

#include <cstring>

#include "cli/become.h"
#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "signstep/base/error.h"
#include "signstep/data/dataset.h"

namespace signstep::cli {
namespace {

struct DataCommand {
  std::string dataset = "all", data;
  int64_t image_size = 0;
};

struct FetchCommand {
  std::string dataset, data, from;
};

std::string class_counts(const ImageSet& set) {
  std::vector<size_t> counts(static_cast<size_t>(set.classes));
  for (const uint8_t label : set.labels) ++counts[label];
  const auto [low, high] = std::minmax_element(counts.begin(), counts.end());
  return *low == *high ? fmt::format("{} of each class", *low) : fmt::format("{} to {} of each class", *low, *high);
}

void print_dataset(const Dataset& d) {
  fmt::print("{}: {}\n", d.spec->name, d.folder);
  for (const auto& [name, set] : {std::pair{"training", &d.train}, std::pair{"test", &d.test}}) {
    fmt::print("  {:8} {} images, {} x {} x {}, {} classes ({})\n", name, set->count(), set->channels, set->height,
               set->width, set->classes, class_counts(*set));
  }
  for (const SourceFile& f : d.files)
    fmt::print("  {}  {:>10} bytes  sha256 {}  {}\n", f.path, f.bytes, f.sha256.substr(0, 16),
               f.official ? "official" : "not recognised");
  fmt::print("  content  sha256 {}\n  {}\n", d.checksum(),
             d.official() ? "This is the official data set." : "Not known to be the official data set.");
}

int run_data(const DataCommand& c) {
  if (c.dataset != "all") {
    print_dataset(load_dataset(c.dataset, c.data, "fine", c.image_size));
    return 0;
  }
  size_t found = 0;
  for (const std::string& name : dataset_names()) {
    if (find_dataset(name).folder_reader) continue;  // nobody knows where to look
    try {
      print_dataset(load_dataset(name, c.data));
      ++found;
    } catch (const Error& e) {  // damaged, or not to be read
      fmt::print("{}: {}\n", name, e.what());
    }
  }
  if (found == 0) throw DataError("no data set was found; docs/data.md says how to get each");
  return 0;
}

// Becomes signstep-fetch, which lies beside this program where it was built.
int run_fetch(const FetchCommand& c) {
  const DatasetSpec& spec = find_dataset(c.dataset);
  std::string folder = c.data;
  if (const char* variable = std::getenv("SIGNSTEP_DATA"); folder.empty() && variable) folder = variable;
  if (folder.empty()) folder = "data";
  const auto program = std::filesystem::path(own_program()).parent_path() / "signstep-fetch";
  ::execl(program.c_str(), "signstep-fetch", c.dataset.c_str(), folder.c_str(), c.from.c_str(), nullptr);
  throw EnvironmentError(
      fmt::format("{} cannot be started ({}): it is built where libcurl and libarchive are (Debian: "
                  "libcurl4-openssl-dev, libarchive-dev). By hand: {}; docs/data.md says where it comes from",
                  program.string(), std::strerror(errno), spec.advice));
}

std::vector<std::string> fetchable() {
  std::vector<std::string> names = dataset_names();
  std::erase_if(names, [](const std::string& name) { return find_dataset(name).folder_reader != nullptr; });
  return names;
}

void add_fetch(CLI::App& data, Run& run) {
  auto command = std::make_shared<FetchCommand>();
  CLI::App* sub =
      data.add_subcommand("fetch", fmt::format("Download an official data set: {}", fmt::join(fetchable(), ", ")));
  CLI::Option* dataset = sub->add_option("DATASET", command->dataset, "which one")->required();
  offer(dataset, fetchable());
  sub->add_option("--data", command->data, "folder that gets it; empty: $SIGNSTEP_DATA, else ./data")
      ->type_name("TEXT");
  sub->add_option("--from", command->from, "https address of a folder that has the same files")->type_name("URL");
  sub->footer(
      "Run it again after an interruption: it goes on. An archive put into the folder by hand is taken instead.\n"
      "Example: signstep data fetch cifar10");
  sub->callback([command, &run] { run = [command] { return run_fetch(*command); }; });
}

}  // namespace

void add_data(CLI::App& app, Run& run) {
  auto command = std::make_shared<DataCommand>();
  CLI::App* sub = app.add_subcommand("data", "Show which data sets were found where");
  CLI::Option* dataset =
      sub->add_option("--dataset", command->dataset, fmt::format("{} or all", fmt::join(dataset_names(), ", ")));
  dataset->type_name("TEXT")->capture_default_str();
  std::vector<std::string> names = dataset_names();
  names.emplace_back("all");
  offer(dataset, std::move(names));
  sub->add_option("--data", command->data, "folder; empty: $SIGNSTEP_DATA, ./data, then the system path")
      ->type_name("TEXT");
  sub->add_option("--image-size", command->image_size, "side to which pictures of --dataset folder are brought")
      ->type_name("N")
      ->check(CLI::Range(0, 256));
  sub->footer("signstep data fetch cifar10 downloads a set; signstep data fetch --help says more.");
  sub->callback([command, &run, sub] {
    if (sub->get_subcommands().empty()) run = [command] { return run_data(*command); };
  });
  add_fetch(*sub, run);
}

}  // namespace signstep::cli
