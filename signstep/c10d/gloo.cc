// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <memory>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "signstep/base/error.h"
#include "signstep/c10d/backend.h"
#include "signstep/c10d/local_address.h"

namespace signstep {

namespace {

using Gloo = c10d::ProcessGroupGloo;

std::string own_address(const Rendezvous& where, c10d::Store& store) {
  if (!where.file.empty()) return "127.0.0.1";
  const std::string own = local_address_towards(where.address, where.port), elsewhere = "address/elsewhere";
  const bool here = address_is_loopback(own);
  if (!here) store.set(elsewhere, std::vector<uint8_t>(own.begin(), own.end()));
  if (store.add("address/count", 1) == static_cast<int64_t>(where.size))
    store.set("address/all", std::vector<uint8_t>{1});
  if (!here) return own;
  store.wait({"address/all"});  // whether any rank is on another machine
  if (!store.check({elsewhere})) return own;
  const std::vector<uint8_t> other = store.get(elsewhere);
  return local_address_towards(std::string(other.begin(), other.end()), where.port);
}

std::shared_ptr<::gloo::transport::Device> device_of(const char* interface) {
  try {
    return Gloo::createDeviceForInterface(interface);
  } catch (const std::exception&) {
    throw OptionError(
        fmt::format("GLOO_SOCKET_IFNAME is '{}', which is no interface of this machine; name one of those that ip -br "
                    "addr shows, or unset it",
                    interface));
  }
}

}  // namespace

OpenBackend open_gloo(const Rendezvous& where, c10::intrusive_ptr<c10d::Store> store,
                      std::chrono::milliseconds timeout) {
  auto options = Gloo::Options::create(timeout);
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface != nullptr && where.file.empty()
                                 ? device_of(interface)
                                 : Gloo::createDeviceForHostname(own_address(where, *store)));
  return {.group =
              c10::make_intrusive<Gloo>(store, static_cast<int>(where.rank), static_cast<int>(where.size), options)};
}

}  // namespace signstep
