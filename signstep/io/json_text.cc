// SPDX-License-Identifier: Apache-2.0
#include "signstep/io/json_text.h"

#include <algorithm>

#include "signstep/base/error.h"

namespace signstep {
namespace {

constexpr const char* kAdvice = "was the file edited or damaged?";

[[noreturn]] void fail_at(std::string_view text, size_t offset, const std::string& name, size_t first_line,
                          const std::string& what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = first_line + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  throw DataError(fmt::format("{}:{}:{}: {}; {}", name, line, before.size() - line_begin + 1, what, kAdvice));
}

// The position after the string that begins at the quote at offset.
size_t after_string(std::string_view text, size_t offset) {
  for (++offset; offset < text.size() && text[offset] != '"'; ++offset) offset += text[offset] == '\\';
  return offset + 1;
}

// What a value looks like in a message: short, and harmless on a terminal.
std::string shown(const nlohmann::ordered_json& value) {
  constexpr size_t kMost = 60;
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (!value.is_string()) return value.dump();
  std::string text = value.get<std::string>().substr(0, kMost);
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return fmt::format("\"{}{}\"", text, value.get_ref<const std::string&>().size() > kMost ? "..." : "");
}

}  // namespace

void require_json_limits(std::string_view text, const std::string& name, const JsonLimits& limits, size_t first_line) {
  std::vector<size_t> members;  // of each list and object that is open
  size_t values = 1;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"': i = after_string(text, i) - 1; break;
      case '[':
      case '{':
        members.push_back(text[i] == '{' ? 1 : 0);
        values += 8;
        if (members.size() > limits.depth)
          fail_at(text, i, name, first_line,
                  fmt::format("more than {} lists and objects within each other", limits.depth));
        break;
      case ']':
      case '}':
        if (!members.empty()) members.pop_back();
        break;
      case ':': values += 2; break;
      case ',':
        ++values;
        if (!members.empty() && members.back() > 0 && ++members.back() > limits.members)
          fail_at(text, i, name, first_line, fmt::format("an object of more than {} members", limits.members));
        break;
      default: break;
    }
    if (values > limits.values) fail_at(text, i, name, first_line, fmt::format("more than {} values", limits.values));
  }
}

nlohmann::ordered_json parse_json(std::string_view text, const std::string& name, const JsonLimits& limits,
                                  size_t first_line) {
  require_json_limits(text, name, limits, first_line);
  try {
    return nlohmann::ordered_json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& e) {
    fail_at(text, e.byte > 0 ? e.byte - 1 : 0, name, first_line, "not JSON");
  } catch (const nlohmann::json::out_of_range&) {  // the only other: a number as large as 1e999
    fail_at(text, 0, name, first_line, "a number is beyond what a double holds");
  }
}

std::string json_text(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

JsonFields::JsonFields(const nlohmann::ordered_json& object, std::string name, std::string prefix)
    : object_(&object), name_(std::move(name)), prefix_(std::move(prefix)) {}

JsonFields::JsonFields(const nlohmann::ordered_json& object, std::string name)
    : JsonFields(object, std::move(name), "") {
  if (!object.is_object())
    throw DataError(fmt::format("{} is {}; wanted a JSON object; {}", name_, shown(object), kAdvice));
}

uint64_t JsonFields::at_most(const std::string& key, uint64_t most) const {
  const auto value = get<uint64_t>(key);
  if (value > most) fail_type(value, key, fmt::format("0 to {}", most).c_str());
  return value;
}

JsonFields JsonFields::object(const std::string& key) const {
  const nlohmann::ordered_json* value = find_value(key);
  if (value == nullptr) fail_absent(key);
  if (!value->is_object()) fail_type(*value, key, "an object");
  return {*value, name_, prefix_ + key + "."};
}

const nlohmann::ordered_json* JsonFields::find_value(const std::string& key) const {
  const auto found = object_->find(key);
  return found == object_->end() ? nullptr : &*found;
}

void JsonFields::fail_absent(const std::string& key) const {
  throw DataError(fmt::format("{}: {}{} is absent; {}", name_, prefix_, key, kAdvice));
}

void JsonFields::fail_type(const nlohmann::ordered_json& value, const std::string& key, const char* wanted) const {
  throw DataError(fmt::format("{}: {}{} is {}; wanted {}; {}", name_, prefix_, key, shown(value), wanted, kAdvice));
}

void JsonFields::take(const nlohmann::ordered_json& value, const std::string& key, std::string& out) const {
  if (!value.is_string()) fail_type(value, key, "text");
  out = value.get<std::string>();
}

void JsonFields::take(const nlohmann::ordered_json& value, const std::string& key, bool& out) const {
  if (!value.is_boolean()) fail_type(value, key, "true or false");
  out = value.get<bool>();
}

void JsonFields::take(const nlohmann::ordered_json& value, const std::string& key, double& out) const {
  if (!value.is_number()) fail_type(value, key, "a number");
  out = value.get<double>();
}

void JsonFields::take(const nlohmann::ordered_json& value, const std::string& key, int64_t& out) const {
  const bool fits = !value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t{INT64_MAX};
  if (!value.is_number_integer() || !fits) fail_type(value, key, "a whole number");
  out = value.get<int64_t>();
}

void JsonFields::take(const nlohmann::ordered_json& value, const std::string& key, uint64_t& out) const {
  const bool fits = value.is_number_integer() && (value.is_number_unsigned() || value.get<int64_t>() >= 0);
  if (!fits) fail_type(value, key, "a whole number of 0 or more");
  out = value.get<uint64_t>();
}

void JsonFields::take(const nlohmann::ordered_json& value, const std::string& key, nlohmann::ordered_json& out) const {
  if (!value.is_object()) fail_type(value, key, "an object");
  out = value;
}

}  // namespace signstep
