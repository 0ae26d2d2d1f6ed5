// SPDX-License-Identifier: Apache-2.0
// One function per subcommand: it adds its flags to app, and leaves in run what main is to call after parsing.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>

namespace signstep::cli {

using Run = std::function<int()>;  // returns the exit code

void add_train(CLI::App& app, Run& run);
void add_eval(CLI::App& app, Run& run);
void add_data(CLI::App& app, Run& run);
void add_bench(CLI::App& app, Run& run);
void add_compare(CLI::App& app, Run& run);
void add_export(CLI::App& app, Run& run);
void add_predict(CLI::App& app, Run& run);
void add_list(CLI::App& app, Run& run);
void add_report(CLI::App& app, Run& run);
void add_analyze(CLI::App& app, Run& run);
void add_theory(CLI::App& app, Run& run);
void add_generate(CLI::App& app, Run& run);

}  // namespace signstep::cli
