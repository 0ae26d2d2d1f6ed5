// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/context.h"

namespace signstep::amx {

void Scratch::resize(size_t pieces, size_t bytes) {
  if (pieces_.size() >= pieces && bytes_ >= bytes) return;
  pieces_.clear();
  free_.clear();
  bytes_ = bytes;
  for (size_t i = 0; i < pieces; ++i) {
    pieces_.emplace_back(bytes);
    free_.push_back(pieces_.back().as<std::byte>());
  }
}

Scratch::Loan::Loan(Scratch& from) : from_(from) {
  const std::lock_guard lock(from_.mutex_);
  piece_ = from_.free_.back();
  from_.free_.pop_back();
}

Scratch::Loan::~Loan() {
  const std::lock_guard lock(from_.mutex_);
  from_.free_.push_back(piece_);
}

}  // namespace signstep::amx
