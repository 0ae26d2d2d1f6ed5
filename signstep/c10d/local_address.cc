// SPDX-License-Identifier: Apache-2.0
#include "signstep/c10d/local_address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "signstep/base/error.h"

namespace signstep {
namespace {

struct Addresses {
  ~Addresses() {
    if (list != nullptr) ::freeaddrinfo(list);
  }
  addrinfo* list = nullptr;
};

// "" where no way leads there.
std::string from_which(const addrinfo& to) {
  const int socket = ::socket(to.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return "";
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  char digits[NI_MAXHOST] = "";
  // To connect a datagram socket is to choose a way, and no more.
  const bool known =
      ::connect(socket, to.ai_addr, to.ai_addrlen) == 0 &&
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
      ::getnameinfo(reinterpret_cast<sockaddr*>(&own), length, digits, sizeof digits, nullptr, 0, NI_NUMERICHOST) == 0;
  ::close(socket);
  return known ? digits : "";
}

}  // namespace

bool address_is_loopback(const std::string& address) { return address == "::1" || address.starts_with("127."); }

std::string local_address_towards(const std::string& host, uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  Addresses addresses;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &addresses.list);
  if (error != 0)
    throw EnvironmentError(
        fmt::format("the host '{}' of the run is unknown: {}; check MASTER_ADDR", host, ::gai_strerror(error)));
  for (const addrinfo* to = addresses.list; to != nullptr; to = to->ai_next)
    if (std::string address = from_which(*to); !address.empty()) return address;
  throw EnvironmentError(fmt::format("no network leads to the host '{}' of the run; check MASTER_ADDR", host));
}

}  // namespace signstep
