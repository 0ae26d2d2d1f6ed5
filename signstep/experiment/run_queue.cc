// SPDX-License-Identifier: Apache-2.0
#include "signstep/experiment/run_queue.h"

#include <poll.h>

#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "signstep/base/error.h"
#include "signstep/experiment/run_state.h"
#include "signstep/io/folder_lock.h"
#include "signstep/io/path.h"
#include "signstep/runs/batch_progress.h"

namespace signstep {

RunQueue::~RunQueue() {
  stop();
  try {
    const auto until = std::chrono::steady_clock::now() + kSaveTime;
    while (!children_.empty() && std::chrono::steady_clock::now() < until) wait(std::chrono::milliseconds(100));
  } catch (const std::exception&) {
    return;  // out of memory: ~Subprocess waits too, only less long
  }
  for (const Child& child : children_) child.process->signal(SIGKILL);
}

std::vector<std::string> RunQueue::command(const PlannedRun& run) const {
  std::vector<std::string> words = {program_, "train", "--quiet", "--progress-json", "--output", run.folder};
  if (!data_.empty()) words.insert(words.end(), {"--data", data_});
  if (path_exists(run.folder + "/config.toml")) {
    words.emplace_back("--resume");
    return words;
  }
  TrainOptions options;
  const OptionList list = option_list(options);
  std::map<std::string, std::string> last;  // a method's value stands behind the file's of the same name
  for (const auto& [name, value] : run.settings) last[name] = value;
  for (const auto& [name, value] : last) {
    const Option* option = list.find(name);
    if (option->type == OptionType::kFlag) {
      words.push_back(value == "true" ? option->flag() : "--no-" + option->flag().substr(2));
    } else {
      words.insert(words.end(), {option->flag(), value});
    }
  }
  if (run.options.engine.threads == 0 && threads_ > 0)
    words.insert(words.end(), {"--threads", std::to_string(threads_)});
  return words;
}

void RunQueue::start(const PlannedRun& run) {
  const RunState state = run_state(run);
  const double share = static_cast<double>(state.epochs) / static_cast<double>(run.options.epochs);
  children_.push_back({.run = run,
                       .process = std::make_unique<Subprocess>(command(run), Subprocess::Errors::kJoin),
                       .progress = {.name = run.name, .tuning = run.tuning, .share = share}});
}

std::vector<RunProgress> RunQueue::progress() const {
  std::vector<RunProgress> all;
  for (const Child& child : children_) all.push_back(child.progress);
  return all;
}

// A line is a JSON object of progress, or something that the run had to say.
void RunQueue::hear(Child& child, const std::string& line) {
  const auto json = nlohmann::ordered_json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains(key_of(&BatchProgress::batches))) {
    if (!line.empty()) child.last_words = line;
    return;
  }
  RunProgress& p = child.progress;
  const auto now = fields_from<BatchProgress>(json);
  const double share = static_cast<double>(now.batch) / static_cast<double>(now.batches);
  p.share = (static_cast<double>(now.epoch) - 1 + share) / static_cast<double>(now.epochs);
  p.seconds_left = now.seconds_left;
  p.images_per_second = now.images_per_second;
  p.figures = fmt::format("epoch {}/{}  loss {:.3f}  accuracy {:.1f} %  {:.0f} images/s", now.epoch, now.epochs,
                          now.loss, now.accuracy, now.images_per_second);
}

EndedRun RunQueue::end(Child& child) {
  const int code = child.process->wait();
  EndedRun out{.run = child.run,
               .outcome = RunOutcome::kFailed,
               .reason = {},
               .exit_code = code,
               .images_per_second = child.progress.images_per_second};
  switch (code) {
    case 0: out.outcome = RunOutcome::kFinished; break;
    case 6: out.outcome = RunOutcome::kDiverged; break;  // DivergedError
    case 75:
    case 130:
    case 143: out.outcome = RunOutcome::kStopped; break;
    default:
      out.reason = fmt::format("{} ({})", child.last_words.empty() ? "it said nothing" : child.last_words,
                               code > 128 ? fmt::format("signal {}", code - 128) : fmt::format("exit code {}", code));
      // Another process was faster: it holds the folder's lock, or has written its head.
      if ((code == 5 || code == 2) && folder_in_use(child.run.folder)) out.outcome = RunOutcome::kBusy;
  }
  return out;
}

std::vector<EndedRun> RunQueue::wait(std::chrono::milliseconds longest) {
  std::vector<pollfd> ready;
  for (const Child& child : children_)
    ready.push_back({.fd = child.process->descriptor(), .events = POLLIN, .revents = 0});
  ::poll(ready.data(), ready.size(), static_cast<int>(longest.count()));
  std::vector<EndedRun> ended;
  for (auto child = children_.begin(); child != children_.end();) {
    std::vector<std::string> lines;
    const bool open = child->process->read_available(lines);
    for (const std::string& line : lines) hear(*child, line);
    if (open) {
      ++child;
      continue;
    }
    ended.push_back(end(*child));
    child = children_.erase(child);
  }
  return ended;
}

void RunQueue::stop() {
  for (const Child& child : children_) child.process->signal(SIGTERM);
}

}  // namespace signstep
