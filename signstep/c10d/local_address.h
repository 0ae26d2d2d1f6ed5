// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace signstep {

// This machine's address towards host, in digits: loopback for loopback. What a machine calls itself may be 127.0.1.1,
// which nobody else can reach. Sends nothing. Throws EnvironmentError where host is unknown or no way leads there.
std::string local_address_towards(const std::string& host, uint16_t port);

// Of an address in digits. On the store's machine the one towards it is, which ranks on others cannot reach.
bool address_is_loopback(const std::string& address);

}  // namespace signstep
