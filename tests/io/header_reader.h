// SPDX-License-Identifier: Apache-2.0
// A second reading of the safetensors header, written from the format's description and sharing no code with the
// library: every value of the JSON under its path, "tensor|shape" -> "2,3".
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace signstep {

class HeaderReader {
 public:
  explicit HeaderReader(const std::vector<uint8_t>& file) {
    uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | file.at(static_cast<size_t>(i));
    data_begin = 8 + length;
    text_.assign(file.begin() + 8, file.begin() + static_cast<std::ptrdiff_t>(data_begin));
    EXPECT_EQ(text_.front(), '{');
    object("");
    for (; at_ < text_.size(); ++at_) EXPECT_EQ(text_[at_], ' ') << "only spaces may follow the header";
  }
  std::map<std::string, std::string> values;
  std::vector<std::string> order;
  size_t data_begin = 0;

 private:
  char take(char wanted) {
    EXPECT_EQ(text_.at(at_), wanted) << "at " << at_ << " of " << text_;
    return text_.at(at_++);
  }
  std::string string() {
    std::string out;
    for (take('"'); text_.at(at_) != '"'; ++at_) {
      if (text_.at(at_) == '\\') ++at_;  // of the escapes, these tests write \" and \\ alone
      out += text_.at(at_);
    }
    take('"');
    return out;
  }
  void object(const std::string& path) {
    for (char next = '{'; next != '}'; next = text_.at(at_)) {
      take(next);
      const std::string key = path + string();
      take(':');
      if (path.empty()) order.push_back(key);
      if (text_.at(at_) == '{') {
        object(key + "|");
      } else if (text_.at(at_) == '[') {
        const size_t end = text_.find(']', at_);
        values[key] = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
      } else {
        values[key] = string();
      }
    }
    take('}');
  }
  std::string text_;
  size_t at_ = 0;
};

}  // namespace signstep
