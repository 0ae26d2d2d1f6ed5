// SPDX-License-Identifier: Apache-2.0
// JSON that comes from a file: bounded before it is parsed, and a field of another type is an error that names file and
// key. The library recurses over nesting when it copies, prints or frees a value, and its ordered object looks a key up
// by walking.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signstep {

struct JsonLimits {
  size_t depth = 64;                // lists and objects within each other
  size_t members = 1024;            // of one object; building it compares members^2 / 2 keys
  size_t values = size_t{1} << 20;  // in all, about 32 bytes each; a member counts 3, a list or an object 8
};

// Throws DataError with name, line and column where the text is beyond a limit. Reads it once and keeps nothing.
void require_json_limits(std::string_view text, const std::string& name, const JsonLimits& limits = {},
                         size_t first_line = 1);

// Throws DataError, as require_json_limits does, also for malformed text. first_line is the number of the text's first
// line.
nlohmann::ordered_json parse_json(std::string_view text, const std::string& name, const JsonLimits& limits = {},
                                  size_t first_line = 1);

// The value as text that is UTF-8 whatever its strings hold: bytes that are not become U+FFFD, because a path or a
// title that is none must not throw after hours of work. The numbers are exact. indent as nlohmann's dump has it.
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

// The fields of an object, which must outlive this. Whatever is absent or of another type throws DataError:
// "run.json: data.sha256 is 5; wanted text; ...".
class JsonFields {
 public:
  JsonFields(const nlohmann::ordered_json& object, std::string name);

  // T: std::string, bool, double (any number), int64_t, uint64_t, nlohmann::ordered_json (an object), or a std::vector
  // of one.
  template <class T>
  T get(const std::string& key) const {
    const nlohmann::ordered_json* value = find_value(key);
    if (value == nullptr) fail_absent(key);
    T out{};
    take(*value, key, out);
    return out;
  }
  // Nothing where the key is absent or null.
  template <class T>
  std::optional<T> find(const std::string& key) const {
    const nlohmann::ordered_json* value = find_value(key);
    return value == nullptr || value->is_null() ? std::nullopt : std::optional<T>(get<T>(key));
  }
  uint64_t at_most(const std::string& key, uint64_t most) const;
  JsonFields object(const std::string& key) const;

 private:
  JsonFields(const nlohmann::ordered_json& object, std::string name, std::string prefix);
  const nlohmann::ordered_json* find_value(const std::string& key) const;
  [[noreturn]] void fail_absent(const std::string& key) const;
  [[noreturn]] void fail_type(const nlohmann::ordered_json& value, const std::string& key, const char* wanted) const;

  void take(const nlohmann::ordered_json& value, const std::string& key, std::string& out) const;
  void take(const nlohmann::ordered_json& value, const std::string& key, bool& out) const;
  void take(const nlohmann::ordered_json& value, const std::string& key, double& out) const;
  void take(const nlohmann::ordered_json& value, const std::string& key, int64_t& out) const;
  void take(const nlohmann::ordered_json& value, const std::string& key, uint64_t& out) const;
  void take(const nlohmann::ordered_json& value, const std::string& key, nlohmann::ordered_json& out) const;
  template <class T>
  void take(const nlohmann::ordered_json& value, const std::string& key, std::vector<T>& out) const {
    if (!value.is_array()) fail_type(value, key, "a list");
    for (size_t i = 0; i < value.size(); ++i) {
      T element{};
      take(value[i], key + "[" + std::to_string(i) + "]", element);
      out.push_back(std::move(element));
    }
  }

  const nlohmann::ordered_json* object_;
  std::string name_, prefix_;
};

}  // namespace signstep
