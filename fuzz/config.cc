// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/config.h"

#include <cstdlib>

#include "fuzz/target.h"
#include "signstep/base/error.h"
#include "signstep/nn/network.h"
#include "signstep/optim/dither_options.h"
#include "signstep/optim/optimizer_options.h"
#include "signstep/optim/schedule.h"
#include "signstep/optim/switch_options.h"

namespace signstep::fuzz {
namespace {

struct Options {
  std::string output;
  double stop_after = 0;
  bool flip = true;
  uint64_t seed = 1;
  NetworkOptions network;
  OptimizerOptions optimizer;
  DitherOptions dither;
  SwitchOptions switching;

  OptionList list() {
    OptionList all;
    all.text("output", output, "folder");
    all.duration("stop_after", stop_after, "time");
    all.flag("flip", flip, "mirror");
    all.seed("seed", seed, "of every draw");
    describe(all, network);
    describe(all, optimizer);
    describe(all, dither);
    describe(all, switching);
    return all;
  }
};

}  // namespace

// What is accepted and valid is written and read again as the same values.
void read(std::span<const uint8_t> bytes) {
  Options first, second;
  OptionList list = first.list(), again = second.list();
  parse_toml(text_of(bytes), "fuzz.toml", list);
  list.validate();
  const std::string text = to_toml(list, "title");
  try {
    parse_toml(text, "again.toml", again);
  } catch (const Error&) {
    std::abort();
  }
  if (again.to_text() != list.to_text()) std::abort();
}

std::vector<std::string> seeds() {
  Options options;
  return {to_toml(options.list(), "title"), "seed = 0x10\nflip = false\nstop_after = '1h30m'\noutput = \"\"\"a\"\"\"\n",
          "a.b.'c' = [1, {d = 2026-01-02}]\n[e]\n[[f]]\n"};
}

}  // namespace signstep::fuzz
