// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/init_weights.h"

#include "signstep/base/error.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/checksum.h"
#include "signstep/train/checkpoint.h"

namespace signstep {

void check_init_options(const TrainOptions& o, bool resume) {
  if (o.init.empty() && !o.init_sha256.empty()) {
    throw OptionError("init_sha256 is given without init; name the file that it is of with --init, or leave it out");
  }
  if (resume && !o.init.empty() && o.init_sha256.empty()) {
    throw OptionError(
        fmt::format("init is '{}' and the run was started from random weights; a resumed run keeps its "
                    "own: leave out --init",
                    o.init));
  }
}

SafetensorsFile read_init(TrainOptions& o) {
  std::vector<uint8_t> bytes = read_file(o.init);
  const std::string seen = sha256_hex(std::as_bytes(std::span(bytes)));
  if (o.init_sha256.empty()) o.init_sha256 = seen;
  if (seen != o.init_sha256) {
    throw CheckpointError(
        fmt::format("{} has SHA-256 {}, and the run started from weights with {}; name the file that "
                    "has it with --init, or start another run",
                    o.init, seen, o.init_sha256));
  }
  return SafetensorsFile(o.init, std::move(bytes));
}

void set_first_weights(TrainOptions& o, Engine& engine) {
  initialize(engine.network(), o.seed, engine.values(), engine.buffers());
  if (!o.init.empty()) load_weights(read_init(o), o.init, engine);
}

}  // namespace signstep
