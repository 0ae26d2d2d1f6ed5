// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace signstep {

// This machine's address towards host, in digits: loopback for loopback. What a machine calls itself may be 127.0.1.1,
// which nobody else can reach. Sends nothing. Throws EnvironmentError where host is unknown or no way leads there.
std::string local_address_towards(const std::string& host, uint16_t port);

// This rank's address for all others, from everyone's towards the store, in digits. On the store's machine that is
// loopback, which ranks on other machines cannot reach: then it is the address towards one of them. Throws likewise.
std::string address_for_all(size_t rank, std::span<const std::string> towards_store, uint16_t port);

}  // namespace signstep
