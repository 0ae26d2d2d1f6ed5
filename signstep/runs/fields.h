// SPDX-License-Identifier: Apache-2.0
// A struct of the run folder lists its fields once, in the order in which they are written:
//
//   struct Point {
//     uint64_t step = 0;
//     double rate = kNotSaid;
//     template <class Self, class Visit>
//     static void fields(Self& self, Visit&& visit) {
//       visit("step", self.step);
//       visit("rate", self.rate, Unset::kLeftOut);
//     }
//   };
//
// Writer, reader and whoever names a field (key_of) go by that list.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace signstep {

// A number that a file does not have; null in JSON.
inline constexpr double kNotSaid = std::numeric_limits<double>::quiet_NaN();

// What is written of a field that is empty.
enum class Unset { kWritten, kLeftOut };

template <class T>
concept HasFields = requires(T& value) {
  T::fields(value, [](const char*, auto&, Unset = Unset::kWritten) {});
};

// Numbers that are not finite become null, and so does an optional without a value.
template <class T>
nlohmann::ordered_json fields_json(const T& value) {
  return value;
}
inline nlohmann::ordered_json fields_json(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}
template <class T>
nlohmann::ordered_json fields_json(const std::optional<T>& value) {
  return value ? fields_json(*value) : nlohmann::ordered_json();
}
template <class T>
nlohmann::ordered_json fields_json(const std::vector<T>& values) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const T& value : values) out.push_back(fields_json(value));
  return out;
}
template <HasFields T>
nlohmann::ordered_json fields_json(const T& record) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  T::fields(record, [&](const char* key, const auto& field, [[maybe_unused]] Unset unset = Unset::kWritten) {
    if constexpr (requires { field.empty(); })
      if (unset == Unset::kLeftOut && field.empty()) return;
    out[key] = fields_json(field);
  });
  return out;
}

template <HasFields T>
bool take_field(const nlohmann::ordered_json& json, T& out);
template <class T>
bool take_field(const nlohmann::ordered_json& json, std::optional<T>& out);
template <class T>
bool take_field(const nlohmann::ordered_json& json, std::vector<T>& out);

// The other way, for files that anybody may have written: what is absent or of another type leaves the field alone.
// Returns whether it was taken.
inline bool take_field(const nlohmann::ordered_json& json, std::string& out) {
  if (json.is_string()) out = json.get<std::string>();
  return json.is_string();
}
inline bool take_field(const nlohmann::ordered_json& json, bool& out) {
  if (json.is_boolean()) out = json.get<bool>();
  return json.is_boolean();
}
inline bool take_field(const nlohmann::ordered_json& json, double& out) {
  if (json.is_number()) out = json.get<double>();
  return json.is_number();
}
inline bool take_field(const nlohmann::ordered_json& json, uint64_t& out) {
  const bool fits = json.is_number_unsigned() || (json.is_number_integer() && json.get<int64_t>() >= 0);
  if (fits) out = json.get<uint64_t>();
  return fits;
}
inline bool take_field(const nlohmann::ordered_json& json, nlohmann::ordered_json& out) {
  if (json.is_object()) out = json;
  return json.is_object();
}
template <HasFields T>
bool take_field(const nlohmann::ordered_json& json, T& out) {
  if (!json.is_object()) return false;
  T::fields(out, [&](const char* key, auto& field, Unset = Unset::kWritten) {
    if (const auto found = json.find(key); found != json.end()) take_field(*found, field);
  });
  return true;
}
template <class T>
bool take_field(const nlohmann::ordered_json& json, std::optional<T>& out) {
  T value{};
  const bool taken = take_field(json, value);
  if (taken) out = std::move(value);
  return taken;
}
// Each element keeps its place, as arrays side by side need it.
template <class T>
bool take_field(const nlohmann::ordered_json& json, std::vector<T>& out) {
  if (!json.is_array()) return false;
  for (const auto& element : json) {
    T value{};
    if constexpr (std::is_same_v<T, double>) value = kNotSaid;
    take_field(element, value);
    out.push_back(std::move(value));
  }
  return true;
}

template <HasFields T>
T fields_from(const nlohmann::ordered_json& json) {
  T record;
  take_field(json, record);
  return record;
}

// Under which key a field is written: key_of(&Point::rate) is "rate".
template <HasFields T, class Field>
const char* key_of(Field T::*member) {
  const T record;
  const char* found = nullptr;
  T::fields(record, [&](const char* key, const auto& field, Unset = Unset::kWritten) {
    if (static_cast<const void*>(&field) == &(record.*member)) found = key;
  });
  return found;
}

}  // namespace signstep
