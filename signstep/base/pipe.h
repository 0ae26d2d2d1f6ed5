// SPDX-License-Identifier: Apache-2.0
// Internal to subprocess: the pipes to a child process.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

namespace signstep {

// Both ends are closed with the object unless they were taken, and on exec; neither is one of the standard descriptors.
class Pipe {
 public:
  Pipe();  // false where none could be opened, with errno
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  explicit operator bool() const { return ends_[0] >= 0 && ends_[1] >= 0; }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  int take_reading() { return std::exchange(ends_[0], -1); }
  int take_writing() { return std::exchange(ends_[1], -1); }

 private:
  int ends_[2];
};

// write() that shows a reader that is gone by EPIPE alone, whatever the program does with SIGPIPE.
ssize_t write_quietly(int to, std::string_view bytes);

// Appends what is there, waiting for some; false at the end.
bool read_some(int from, std::string& text);

}  // namespace signstep
