// SPDX-License-Identifier: Apache-2.0
// What the library throws for bad input or a bad environment. Every message says what was seen, what was wanted and
// what to do. A programmer's mistake is an assertion; an expected outcome is a return value.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace signstep {

// Which documented exit code the program ends with (cli/exit_code.h).
enum class ErrorKind {
  kOption,       // a flag, a TOML key or an argument is wrong
  kData,         // a data set is missing or malformed
  kCheckpoint,   // a checkpoint is damaged or belongs to another network or run
  kEnvironment,  // the file system or the machine refused
  kDiverged,     // training met a non-finite loss or gradient
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

class OptionError : public Error {
 public:
  explicit OptionError(const std::string& message) : Error(ErrorKind::kOption, message) {}
};

class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(ErrorKind::kData, message) {}
};

class CheckpointError : public Error {
 public:
  explicit CheckpointError(const std::string& message) : Error(ErrorKind::kCheckpoint, message) {}
};

class EnvironmentError : public Error {
 public:
  explicit EnvironmentError(const std::string& message) : Error(ErrorKind::kEnvironment, message) {}
};

class DivergedError : public Error {
 public:
  explicit DivergedError(const std::string& message) : Error(ErrorKind::kDiverged, message) {}
};

// "cannot VERB PATH: <text of errno>", for failed system calls. Reads errno first.
[[noreturn]] void throw_errno(const std::string& verb, const std::string& path, const std::string& advice);

}  // namespace signstep
