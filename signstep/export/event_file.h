// SPDX-License-Identifier: Apache-2.0
// TensorBoard's event files: records of length, masked CRC-32C of the length, an Event message, masked CRC-32C of the
// message. Source: TensorFlow, core/lib/io/record_writer.cc and core/util/event.proto.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signstep/runs/run_files.h"

namespace signstep {

// The record that a file begins with. seconds: since 1970.
std::string event_header(double seconds);

// Says that what earlier files of the folder have from that step on is void: a resumed run takes these steps again.
std::string event_restart(double seconds, uint64_t step);

// An epoch's figures and the points of its curves as scalars "epoch/test_accuracy", "curve/learning_rate",
// "probe/noise"; what is not said is left out. The wall time of a point is the start and the seconds of training up to
// it, linear within the epoch: so TensorBoard's "relative" axis is time of training. previous: the epoch before, an
// EpochRecord{} before the first.
std::string event_records(const EpochRecord& epoch, const EpochRecord& previous, double start_seconds);

// The whole log of a run: header, a restart at step 0 where earlier files are to be void, every epoch.
std::string event_log(const RunFiles& run, bool restart);

// Since 1970, of "2026-01-02T03:04:05Z"; 0 where it is something else.
double seconds_of(const std::string& utc);

}  // namespace signstep
