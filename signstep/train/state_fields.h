// SPDX-License-Identifier: Apache-2.0
// A rule's extra state as JSON, both ways.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "signstep/io/json_text.h"
#include "signstep/optim/rule.h"

namespace signstep {

class StateWriter final : public StateFields {
 public:
  // Writes into root at where: not by reference, as members move when others join them.
  StateWriter(nlohmann::ordered_json& root, const nlohmann::ordered_json::json_pointer& where)
      : root_(root), where_(where) {
    root_[where_] = nlohmann::ordered_json::object();
  }
  void field(const char* name, uint64_t& value, uint64_t /*most*/) override { write(name, value); }
  void field(const char* name, bool& value) override { write(name, value); }
  void field(const char* name, std::vector<double>& value) override { write(name, value); }
  void field(const char* name, std::vector<uint64_t>& value) override { write(name, value); }
  std::unique_ptr<StateFields> object(const char* name) override {
    return std::make_unique<StateWriter>(root_, where_ / name);
  }

 private:
  template <class T>
  void write(const char* name, const T& value) {
    root_[where_ / name] = value;
  }

  nlohmann::ordered_json& root_;
  nlohmann::ordered_json::json_pointer where_;
};

class StateReader final : public StateFields {
 public:
  explicit StateReader(JsonFields fields) : fields_(std::move(fields)) {}
  void field(const char* name, uint64_t& value, uint64_t most) override { value = fields_.at_most(name, most); }
  void field(const char* name, bool& value) override { read(name, value); }
  void field(const char* name, std::vector<double>& value) override { read(name, value); }
  void field(const char* name, std::vector<uint64_t>& value) override { read(name, value); }
  std::unique_ptr<StateFields> object(const char* name) override {
    return std::make_unique<StateReader>(fields_.object(name));
  }

 private:
  template <class T>
  void read(const char* name, T& value) {
    value = fields_.get<T>(name);
  }

  JsonFields fields_;
};

}  // namespace signstep
