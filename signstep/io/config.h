// SPDX-License-Identifier: Apache-2.0
// Options from and to TOML and JSON. The list of options (base/option.h) is the only description there is.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "signstep/base/option.h"

namespace signstep {

// Sets the options named in the file. Throws OptionError with file, line and column for a syntax error, an unknown key
// or a bad value; EnvironmentError when the file cannot be read.
void read_toml(const std::string& path, OptionList& options);
void parse_toml(const std::string& text, const std::string& name, OptionList& options);

// The file's keys and values as text, without an idea of what they mean: for readers of other versions' files. The same
// errors.
std::map<std::string, std::string> read_toml_values(const std::string& path);

// Every option with its help as a comment; read_toml of it gives the same values.
std::string to_toml(const OptionList& options, const std::string& title);

nlohmann::ordered_json to_json(const OptionList& options);
// The same for the record of a run (its config.toml, the configuration in a checkpoint): what an older version had no
// option for means what that version did (Option::older).
void read_recorded_toml(const std::string& path, OptionList& options);
void from_recorded_json(const nlohmann::json& object, OptionList& options);

// Sets the options named in the object. Throws OptionError.
void from_json(const nlohmann::json& object, OptionList& options);

}  // namespace signstep
