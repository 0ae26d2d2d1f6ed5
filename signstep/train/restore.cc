// SPDX-License-Identifier: Apache-2.0
#include "signstep/train/restore.h"

#include <filesystem>
#include <optional>
#include <sstream>

#include "signstep/base/error.h"
#include "signstep/io/path.h"
#include "signstep/runs/run_folder.h"
#include "signstep/wire/gather.h"

namespace signstep {
namespace {

size_t ranks_of(Communicator* world) { return world == nullptr ? 1 : world->size(); }

// What rank 0 sees: others may look while the newest is being written.
std::vector<std::string> candidates(const std::string& run_folder, Communicator* world) {
  const std::vector<std::string> own = list_checkpoints(run_folder);
  if (ranks_of(world) == 1) return own;
  std::istringstream lines(gathered_texts(*world, fmt::format("{}", fmt::join(own, "\n"))).front());
  std::vector<std::string> paths;
  for (std::string path; std::getline(lines, path);) paths.push_back(path);
  return paths;
}

// A checkpoint's first part, and this rank's, where that is another one; it is known to belong to the first.
struct Opened {
  std::optional<Checkpoint> first, other;
  const Checkpoint& own() const { return other ? *other : *first; }
};

void open(const std::string& path, Communicator* world, Opened& opened) {
  opened.first.emplace(path);
  const std::vector<std::string> others = opened.first->rank_checksums();
  if (others.size() + 1 != ranks_of(world))
    throw CheckpointError(fmt::format("{} is of a run with {} workers and this one has {}; continue with as many", path,
                                      others.size() + 1, ranks_of(world)));
  if (others.empty() || world->rank() == 0) return;
  const std::string own = rank_checkpoint(path, world->rank());
  if (!path_exists(own)) throw CheckpointError(fmt::format("{} is absent, and {} is not whole without it", own, path));
  opened.other.emplace(own);
  if (opened.other->sha256() != others[world->rank() - 1])
    throw CheckpointError(fmt::format("{} is not the file that {} was saved with", own, path));
}

// "", or what is wrong at the first rank where something is.
std::string first_damage(const std::string& own, Communicator* world) {
  return ranks_of(world) == 1 ? own : first_text(*world, own);
}

// Else they would count as the newest, of which two are kept, and the next to go would be one that is sound.
void set_aside(const std::vector<std::string>& damaged) {
  std::error_code ignored;  // the run goes on without it
  for (const std::string& path : damaged) std::filesystem::rename(path, path + ".damaged", ignored);
}

}  // namespace

std::string restore_newest(const std::string& run_folder, const RunIdentity& run, Learner& learner,
                           TrainProgress& progress, RankParts& parts,
                           const std::function<void(const std::string&)>& warn, Communicator* world) {
  std::string reasons;
  std::vector<std::string> damaged;
  for (const std::string& path : candidates(run_folder, world)) {
    Opened checkpoint;
    std::optional<RunIdentity> recorded;
    std::string damage;
    try {
      open(path, world, checkpoint);
      recorded = checkpoint.own().identity();
    } catch (const CheckpointError& e) {
      damage = e.what();
    } catch (const EnvironmentError& e) {  // a disk that cannot read it any more
      damage = e.what();
    }
    if (damage = first_damage(damage, world); !damage.empty()) {
      warn(damage);
      reasons += "\n  " + damage;
      damaged.push_back(path);
      continue;
    }
    require_same_identity(*recorded, run, path);
    TrainProgress where = checkpoint.first->progress();
    checkpoint.own().restore(learner, progress);
    progress = std::move(where);
    parts = {checkpoint.first->step(), checkpoint.first->rank_checksums()};
    if (world == nullptr || world->rank() == 0) set_aside(damaged);
    return path;
  }
  if (!reasons.empty()) throw CheckpointError(fmt::format("no checkpoint of {} can be used:{}", run_folder, reasons));
  return "";
}

}  // namespace signstep
