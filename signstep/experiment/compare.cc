// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/compare.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/experiment/output_folder.h"
#include "signstep/experiment/own_part.h"
#include "signstep/experiment/same_data.h"
#include "signstep/experiment/time_estimate.h"
#include "signstep/io/folder_lock.h"

namespace signstep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(200);
constexpr auto kBusyRetry = std::chrono::seconds(1);
constexpr int kBusyPatience = 50;  // ticks that we wait for runs that others work on, once nothing else is left
constexpr int kDamaged = 3, kNotStarted = 5;  // exit codes of such failures, as the program documents them

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

const char* kind_of(const PlannedRun& run) { return run.tuning ? "tuning  " : "reported"; }

// One run with what this session knows of it.
struct Slot {
  PlannedRun run;
  enum { kOpen, kRunning, kDone, kFailed, kBusy } state = kOpen;
  bool ended_from_outside = false;  // by a signal that was not ours
};

class Session {
 public:
  Session(const ExperimentPlan& plan, const CompareOptions& options, CompareObserver& observer)
      : plan_(plan),
        options_(options),
        observer_(observer),
        part_(plan, options.shard, options.shards),
        queue_(options.program, options.data,
               options.jobs == 1 ? 0 : std::max(1u, cpu_features().threads / static_cast<unsigned>(options.jobs))),
        asked_(plan.rows.size(), 0),
        chosen_(plan.rows.size()),
        time_(plan, options.data) {
    require_same_data(plan, time_);
    claim_output(plan);
    for (size_t r = 0; r < plan.rows.size(); ++r) {
      any_trial_.push_back(part_.reported(r, 0));
      any_tuning_.push_back(part_.any_tuning(r));
    }
  }

  CompareResult go(const std::function<bool()>& stop) {
    for (int patience = kBusyPatience;;) {
      choose();
      if (!stopping_ && stop()) {
        stopping_ = true;
        queue_.stop();
      }
      while (!stopping_ && queue_.running() < options_.jobs && start_next()) patience = kBusyPatience;
      if (queue_.running() == 0 && (stopping_ || !changed_)) {
        const bool busy =
            std::any_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.state == Slot::kBusy; });
        if (stopping_ || !busy || --patience < 0) break;
      }
      for (const EndedRun& ended : queue_.wait(kTick)) settle(ended);
      observer_.overview(overview());
    }
    return {.comparison = compare_runs(plan_),
            .failures = std::move(failures_),
            .stopped = stopping_,
            .waits = !stopping_ && waits()};
  }

 private:
  void add(const PlannedRun& run) {
    slots_.push_back({.run = run});
    look_at(slots_.back());
  }

  // What the folder says now. False for a run that can be started.
  bool look_at(Slot& slot) {
    const RunState state = run_state(slot.run);
    if (state.done()) slot.state = Slot::kDone;
    if (state.status == RunStatus::kDamaged)
      fail(slot, {.run = slot.run, .reason = state.problem, .exit_code = kDamaged});
    return slot.state == Slot::kDone || slot.state == Slot::kFailed;
  }

  void fail(Slot& slot, EndedRun ended) {
    ended.outcome = RunOutcome::kFailed;
    slot.state = Slot::kFailed;
    observer_.line(fmt::format("{}  {}: FAILED: {}", kind_of(ended.run), ended.run.name, ended.reason));
    failures_.push_back(std::move(ended));
  }

  // Each row's search asks for its next trials; rows whose search is at its end get their reported runs, wherever the
  // trials were done.
  void choose() {
    if (!changed_) return;
    changed_ = false;
    for (size_t r = 0; r < plan_.rows.size(); ++r) {
      if (chosen_[r]) continue;
      const size_t tuner = plan_.tuned_by(r);
      chosen_[r] = tuner == r ? search(r) : chosen_[tuner];
      if (!chosen_[r]) continue;
      const PlannedRow& row = plan_.rows[r];
      if (row.trials.size() > 1)
        observer_.line(fmt::format("{}: {} {}", row.name, settings_text(row.trials[*chosen_[r]]), why_chosen(r)));
      for (const PlannedRun& run : part_.reported(r, *chosen_[r])) add(run);
    }
  }

  std::string why_chosen(size_t row) const {
    const bool none = trial_results(plan_, plan_.tuned_by(row)).at(*chosen_[row]).none_survived();
    return none ? "is taken, though it diverged: every tuning run did" : "has the best validation accuracy";
  }

  // Folders are read only once our own part is done.
  std::optional<size_t> search(size_t row) {
    for (const Slot& slot : slots_)
      if (slot.run.row == row && slot.run.tuning && slot.state != Slot::kDone) return std::nullopt;
    const SearchState state = search_row(plan_, row, trial_results(plan_, row));
    const size_t before = std::exchange(asked_[row], state.asked.size());
    for (const PlannedRun& run : part_.tuning(row, state.asked, before)) add(run);
    changed_ = changed_ || state.asked.size() > before;  // another process may have done them by now
    return state.chosen;
  }

  // Row by row, so that the table fills from the top.
  bool start_next() {
    std::stable_sort(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) { return a.run.row < b.run.row; });
    const bool retry = Clock::now() >= next_retry_;
    if (retry) next_retry_ = Clock::now() + kBusyRetry;
    for (Slot& slot : slots_) {
      if (slot.state != Slot::kOpen && !(slot.state == Slot::kBusy && retry)) continue;
      if (folder_in_use(slot.run.folder)) {
        slot.state = Slot::kBusy;
        continue;
      }
      if (look_at(slot)) {  // done by the process that had it
        changed_ = true;
        continue;
      }
      if (slot.ended_from_outside)
        observer_.line(fmt::format("{}  {}: ended from outside by a signal; it goes on from what it saved",
                                   kind_of(slot.run), slot.run.name));
      try {
        queue_.start(slot.run);
        slot.state = Slot::kRunning;
        return true;
      } catch (const EnvironmentError& e) {
        fail(slot, {.run = slot.run, .reason = e.what(), .exit_code = kNotStarted});
        changed_ = true;
      }
    }
    return false;
  }

  Slot& slot_of(const PlannedRun& run) {
    return *std::find_if(slots_.begin(), slots_.end(), [&](const Slot& s) { return s.run.folder == run.folder; });
  }

  void settle(const EndedRun& ended) {
    Slot& slot = slot_of(ended.run);
    time_.saw(ended.run, ended.images_per_second);
    const char* const kind = kind_of(ended.run);
    switch (ended.outcome) {
      case RunOutcome::kFinished: {
        const RunState s = run_state(ended.run);
        if (!s.done()) {
          fail(slot, {.run = ended.run,
                      .reason = s.problem.empty() ? "it ended well and left no finished run" : s.problem,
                      .exit_code = kDamaged});
          break;
        }
        slot.state = Slot::kDone;
        observer_.line(ended.run.tuning
                           ? fmt::format("{}  {}: validation {:.2f} %", kind, ended.run.name, s.validation_accuracy)
                           : fmt::format("{}  {}: test {:.2f} %", kind, ended.run.name, s.test_accuracy));
        break;
      }
      case RunOutcome::kDiverged:
        slot.state = Slot::kDone;
        observer_.line(fmt::format("{}  {}: diverged", kind, ended.run.name));
        break;
      case RunOutcome::kStopped:
        if (!stopping_ && std::exchange(slot.ended_from_outside, true)) {
          fail(slot, {.run = ended.run, .reason = "ended twice from outside by a signal", .exit_code = kNotStarted});
          break;
        }
        slot.state = Slot::kOpen;
        break;
      case RunOutcome::kBusy: slot.state = Slot::kBusy; break;
      case RunOutcome::kFailed: fail(slot, ended); break;
    }
    changed_ = true;
  }

  // Runs are left that we neither did nor saw fail.
  bool waits() const {
    for (size_t r = 0; r < plan_.rows.size(); ++r) {
      const bool failed_here = std::any_of(failures_.begin(), failures_.end(), [&](const EndedRun& f) {
        return f.run.row == plan_.tuned_by(r) && f.run.tuning;
      });
      if (!chosen_[r] && !failed_here) return true;
    }
    return std::any_of(slots_.begin(), slots_.end(),
                       [](const Slot& s) { return s.state == Slot::kBusy || s.state == Slot::kOpen; });
  }

  // -1 before any speed is known.
  double seconds_left() const {
    std::vector<double> left;
    const auto whole = [&](const PlannedRun& run) {
      const std::optional<double> seconds = time_.seconds(run);
      if (seconds) left.push_back(*seconds);
      return seconds.has_value();
    };
    for (const Slot& slot : slots_)
      if (slot.state == Slot::kOpen && !whole(slot.run)) return -1;
    for (size_t r = 0; r < plan_.rows.size(); ++r) {  // those that wait for a choice cost what any trial costs
      if (chosen_[r]) continue;
      for (const PlannedRun& run : any_trial_[r])
        if (!whole(run)) return -1;
      const auto known = static_cast<size_t>(
          std::count_if(slots_.begin(), slots_.end(), [&](const Slot& s) { return s.run.row == r && s.run.tuning; }));
      for (size_t i = known; i < any_tuning_[r].size(); ++i)
        if (!whole(any_tuning_[r][i])) return -1;
    }
    for (const RunProgress& p : queue_.progress()) {
      if (p.seconds_left < 0) return -1;
      left.push_back(p.seconds_left);
    }
    return seconds_together(left, options_.jobs);
  }

  Overview overview() const {
    Overview o;
    for (const auto* parts : {&any_tuning_, &any_trial_})
      for (const auto& runs : *parts) o.planned += runs.size();
    for (const Slot& slot : slots_) {
      o.done += slot.state == Slot::kDone;
      o.failed += slot.state == Slot::kFailed;
      o.elsewhere += slot.state == Slot::kBusy;
    }
    o.running = queue_.progress();
    o.seconds = seconds_since(begin_);
    o.seconds_left = seconds_left();
    return o;
  }

  const ExperimentPlan& plan_;
  const CompareOptions& options_;
  CompareObserver& observer_;
  const OwnPart part_;
  RunQueue queue_;
  std::vector<size_t> asked_;                  // trials of each row that its search has asked for
  std::vector<std::optional<size_t>> chosen_;  // the trial of rows whose reported runs are among the slots
  // What our runs of a row, tuning and reported, will be like before their trials are known.
  std::vector<std::vector<PlannedRun>> any_tuning_, any_trial_;
  std::vector<Slot> slots_;
  std::vector<EndedRun> failures_;
  TimeEstimate time_;
  bool stopping_ = false;
  bool changed_ = true;  // a run was settled since rows were last looked at
  Clock::time_point begin_ = Clock::now(), next_retry_{};
};

}  // namespace

// A whole set is read and hashed only once a run there has seen it.
void require_same_data(const ExperimentPlan& plan, const TimeEstimate& now) {
  SameData data;
  std::set<std::string> hashed;
  for (const PlannedRun& run : runs_there(plan)) {
    const std::string set = data_set_of(run), seen = run_state(run).data, folder = now.images(run).folder;
    if (!seen.empty() && !folder.empty() && hashed.insert(set).second) {
      const Dataset found = load_dataset(run.options.dataset, folder, run.options.labels, run.options.image_size);
      data.saw(set, found.checksum(), "the data set in " + folder);
    }
    data.saw(set, seen, run.folder);
  }
}

CompareResult run_comparison(const ExperimentPlan& plan, const CompareOptions& options,
                             const std::function<bool()>& stop, CompareObserver& observer) {
  check_output(plan);
  return Session(plan, options, observer).go(stop);
}

}  // namespace signstep
