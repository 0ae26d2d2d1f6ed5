// SPDX-License-Identifier: Apache-2.0
// What the benchmarks share: times of every repetition, medians, flags of our own beside Google Benchmark's.
#pragma once

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace signstep {

// A run skipped with an error has no time; its flag has another name in each version of the library.
inline bool succeeded(const benchmark::BenchmarkReporter::Run& run) { return run.real_accumulated_time > 0; }

// Prints as usual and keeps every repetition's seconds per step.
class Collector : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs)
      if (run.run_type == Run::RT_Iteration && succeeded(run))
        seconds[run.benchmark_name()].push_back((cpu_clock ? run.cpu_accumulated_time : run.real_accumulated_time) /
                                                static_cast<double>(run.iterations));
    ConsoleReporter::ReportRuns(runs);
  }
  // Of the benchmark of that name; empty if it did not run.
  std::vector<double> find(const std::string& name) const {
    for (const auto& [full, times] : seconds)
      if (full.rfind(name + "/", 0) == 0) return times;
    return {};
  }
  bool cpu_clock = false;
  std::map<std::string, std::vector<double>> seconds;
};

inline double median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  return (v[(v.size() - 1) / 2] + v[v.size() / 2]) / 2;
}

// Takes "--name=value" out of the arguments.
inline std::string take_flag(int& argc, char** argv, const std::string& name) {
  std::string value;
  int kept = 0;
  for (int i = 0; i < argc; ++i) {
    if (std::string(argv[i]).rfind(name + "=", 0) == 0)
      value = argv[i] + name.size() + 1;
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  return value;
}

// The time of the calling thread is all of the time only where it works alone. Says so if it does not.
inline bool wrong_clock(const std::string& clock, const std::string& threads) {
  if (clock.empty() || (clock == "cpu" && threads == "1")) return false;
  fmt::print(stderr, "--clock={}: wanted --clock=cpu together with --threads=1\n", clock);
  return true;
}

}  // namespace signstep
