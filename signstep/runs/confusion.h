// SPDX-License-Identifier: Apache-2.0
// Which classes are taken for which, and RUN/confusion.json, which keeps it of the test images.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "signstep/runs/fields.h"

namespace signstep {

struct Confusion {
  std::string checkpoint = {};                     // the measured file's name, without its folder
  std::vector<std::string> classes = {};           // names, by label
  std::vector<std::vector<uint64_t>> counts = {};  // [label][predicted], images

  template <class Self, class Visit>
  static void fields(Self& c, Visit&& visit) {
    visit("checkpoint", c.checkpoint);
    visit("classes", c.classes);
    visit("counts", c.counts);
  }

  uint64_t images(size_t label) const;     // of that class
  uint64_t predicted(size_t label) const;  // taken for that class
  // Percent; NaN where there is none to judge.
  double recall(size_t label) const;     // of the class's images, how many are known: its accuracy
  double precision(size_t label) const;  // of the images taken for the class, how many are of it

  struct Mistake {
    size_t label, predicted;
    uint64_t images;
  };
  // The most frequent ones, at most that many, without those that never happen.
  std::vector<Mistake> worst(size_t most) const;
};

std::string confusion_path(const std::string& run_folder);  // confusion.json

// Replaces the file. Throws EnvironmentError.
void write_confusion(const std::string& run_folder, const Confusion& confusion);

// Nothing where nobody asked for it. Throws DataError for a damaged file: no JSON, or no square of a name a class.
std::optional<Confusion> read_confusion(const std::string& run_folder);

}  // namespace signstep
