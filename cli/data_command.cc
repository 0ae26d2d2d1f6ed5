// SPDX-License-Identifier: Apache-2.0
// signstep data: what was found where, counts, checksums, whether it is the official set.
#include <array>

#include "cli/commands.h"
#include "cli/flags.h"
#include "signstep/base/error.h"
#include "signstep/data/dataset.h"

namespace signstep::cli {
namespace {

struct DataCommand {
  std::string dataset = "all", data;
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
    print_dataset(load_dataset(c.dataset, c.data));
    return 0;
  }
  size_t found = 0;
  for (const std::string& name : dataset_names()) {
    try {
      print_dataset(load_dataset(name, c.data));
      ++found;
    } catch (const DataError& e) {
      fmt::print("{}: {}\n", name, e.what());
    }
  }
  if (found == 0) throw DataError("no data set was found; docs/data.md says how to get each");
  return 0;
}

}  // namespace

void add_data(CLI::App& app, Run& run) {
  auto command = std::make_shared<DataCommand>();
  CLI::App* sub = app.add_subcommand("data", "Show which data sets were found where");
  sub->add_option("--dataset", command->dataset, fmt::format("{} or all", fmt::join(dataset_names(), ", ")))
      ->type_name("TEXT")
      ->capture_default_str();
  sub->add_option("--data", command->data, "folder; empty: $SIGNSTEP_DATA, ./data, then the system path")
      ->type_name("TEXT");
  sub->callback([command, &run] { run = [command] { return run_data(*command); }; });
}

}  // namespace signstep::cli
