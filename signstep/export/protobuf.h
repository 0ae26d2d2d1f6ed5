// SPDX-License-Identifier: Apache-2.0
// Protocol buffers, written by hand (protobuf.dev/programming-guides/encoding): the few kinds of fields that event
// files and ONNX have. A message is the concatenation of its fields, and a field of another message is its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace signstep::protobuf {

// value, low byte first.
void fixed(std::string& out, uint64_t value, int bytes);

// Field `number` of a message. Integers that are negative take ten bytes, as int64 has it.
void integer(std::string& out, uint64_t number, uint64_t value);
void real64(std::string& out, uint64_t number, double value);
void real32(std::string& out, uint64_t number, float value);
void bytes(std::string& out, uint64_t number, std::string_view value);  // text and messages too

}  // namespace signstep::protobuf
