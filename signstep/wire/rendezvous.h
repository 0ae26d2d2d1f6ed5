// SPDX-License-Identifier: Apache-2.0
// Where the processes of one run meet, and which of them this one is, as torchrun says it in environment variables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace signstep {

// What carries the bytes of ranks that are processes (PyTorch's words).
enum class WorkerBackend {
  kGloo,  // TCP, from the host's memory
  kNccl,  // from CUDA devices, one a rank
};

struct Rendezvous {
  size_t rank = 0;
  size_t size = 1;
  std::string address = "127.0.0.1";  // of the store: rank 0's host, or that of torchrun's agent
  uint16_t port = 0;
  bool store_is_there = false;  // torchrun's agent keeps the store; otherwise rank 0 does
  std::string prefix = {};      // of this attempt's keys in a store that outlives one
  std::string file = {};        // the store is this file, of one machine; "": it is at address and port
  size_t here = 1;              // ranks on this machine
  size_t local_rank = 0;        // this one's number among them
};

// From RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, which torchrun, Slurm scripts and launchers of PyTorch set, and
// from torchrun's TORCHELASTIC_USE_AGENT_STORE and TORCHELASTIC_RESTART_COUNT; LOCAL_WORLD_SIZE and LOCAL_RANK, where
// they are set, say how many are on this machine and which of them this is. SIGNSTEP_STORE, a file, takes the place of
// MASTER_ADDR and MASTER_PORT. Nothing where neither RANK nor WORLD_SIZE is set: a process of its own. Throws
// OptionError, which names the variable, where one is absent or no such number.
std::optional<Rendezvous> rendezvous_from_environment();

}  // namespace signstep
