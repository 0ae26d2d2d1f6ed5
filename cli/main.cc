// SPDX-License-Identifier: Apache-2.0
// Registers the subcommands and turns errors into messages and exit codes.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "cli/become.h"
#include "cli/commands.h"
#include "cli/complain.h"
#include "cli/engines.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/resources.h"
#include "signstep/base/cpu.h"
#include "signstep/base/version.h"
#include "signstep/kernels/sign_kernel.h"

namespace signstep::cli {
namespace {

std::string simd_text() {
  const CpuFeatures& cpu = cpu_features();
  std::string text = simd_target();
  if (cpu.avx512_bf16) text += " with bf16";
  if (cpu.amx_bf16) text += " and AMX bf16";
  return text;
}

std::string version_text() {
  std::string text = fmt::format("signstep {} ({})\n", version(), commit());
  for (const EngineRecord& engine : engines())
    if (const std::string about = engine.about(); !about.empty()) text += about + "\n";
  // A width that every engine takes: what is left to say is what the processor lacks.
  return text + fmt::format("SIMD target {}\nengines {}", simd_text(),
                            available_engines(engines(), make_network({.width = 16}, 3, 10)));
}

// Names end up in JSON, TOML and on terminals: what these cannot hold is refused before any work is done.
void require_text(const std::string& name, const char* value) {
  std::string kept;
  OptionList list;
  list.text(name, kept, "");
  list.set(name, value);
}

// CLI11 names an unexpected flag; we add the nearest one that exists.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  const CLI::App* at = &app;
  for (const auto used = app.get_subcommands(); const CLI::App* sub : used) at = sub;
  std::vector<std::string> known;
  for (const CLI::Option* option : at->get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const CLI::App* sub : at->get_subcommands({})) known.push_back(sub->get_name());
  // Other programs' names for the same things, too far off for spelling to find.
  static const std::map<std::string, std::string> synonyms = {
      {"--lr", "--learning-rate"},
      {"--batch-size", "--batch"},
      {"--wd", "--decoupled-weight-decay or --l2-penalty"},
      {"--weight-decay", "--decoupled-weight-decay or --l2-penalty"},
      {"--opt", "--optimizer"},
      {"--out", "--output"},
      {"--model", "--width"}};
  for (const std::string& extra : app.remaining(true)) {
    const std::string name = extra.substr(0, extra.find('='));
    const auto synonym = synonyms.find(name);
    const std::string near = synonym != synonyms.end() ? synonym->second : nearest_name(name, known);
    if (!near.empty()) return fmt::format("unknown argument {}; did you mean {}?", extra, near);
    if (name.starts_with("-")) return fmt::format("unknown argument {}", extra);
  }
  return message;
}

#ifdef SIGNSTEP_PROGRAM_WITH_ENGINES
// What computes with no engine is done here; all else loads LibTorch.
bool needs_engines(const CLI::App& app) {
  static const std::set<std::string> light = {"data", "export", "generate", "list", "report", "theory"};
  return !light.contains(app.get_subcommands().front()->get_name());
}
#endif

int run_program(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) require_text(fmt::format("argument {}", i), argv[i]);
  if (const char* folder = std::getenv("SIGNSTEP_DATA")) require_text("SIGNSTEP_DATA", folder);
  CLI::App app(
      "signstep trains neural networks with the sign of the gradient: SignSGD, Signum\nand their relatives.\n"
      "Start with: signstep train --dataset fashion-mnist --width 16 --epochs 2");
  app.name("signstep");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text());
  app.footer(fmt::format("{}\n\nsignstep generate bash|zsh|man prints completion for a shell, or the manual page.",
                         kExitCodeHelp));
  app.formatter(std::make_shared<HelpFormatter>());
  Run run;
  add_train(app, run);
  add_eval(app, run);
  add_data(app, run);
  add_bench(app, run);
  add_compare(app, run);
  add_predict(app, run);
  add_export(app, run);
  add_list(app, run);
  add_report(app, run);
  add_analyze(app, run);
  add_theory(app, run);
  add_generate(app, run);
  if (argc == 1) {
    fmt::print("{}", app.help());
    return 0;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    throw OptionError(fmt::format("{}\nRun with --help for what there is.", explain(app, e)));
  }
#ifdef SIGNSTEP_PROGRAM_WITH_ENGINES
  if (needs_engines(app)) become(SIGNSTEP_PROGRAM_WITH_ENGINES, argv);
#endif
  return run();
}

int guarded(int argc, char** argv) {
  try {
    return run_program(argc, argv);
  } catch (const Error& e) {
    complain(e.what());
    return exit_code(e.kind());
  } catch (const std::bad_alloc&) {
    complain(kOutOfMemory);
    return exit_code(ErrorKind::kEnvironment);
  } catch (const std::exception& e) {
    if (std::ferror(stdout)) return 0;  // printing threw, and leave() says so
    complain(fmt::format("internal error: {}\nPlease report it with the command that you ran.", e.what()));
    return kInternal;
  }
}

}  // namespace
}  // namespace signstep::cli

int main(int argc, char** argv) {
  signstep::cli::prepare_process();
  signstep::cli::leave(signstep::cli::guarded(argc, argv));
}
