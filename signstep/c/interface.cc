// SPDX-License-Identifier: Apache-2.0
// The functions of signstep.h that are about options and the optimizer.
#include <nlohmann/json.hpp>

#include "signstep/base/version.h"
#include "signstep/c/boundary.h"
#include "signstep/c/optimizer.h"
#include "signstep/c/shared_threads.h"
#include "signstep/c/signstep.h"
#include "signstep/io/config.h"
#include "signstep/io/json_text.h"

using namespace signstep;

namespace {

const char* type_name(OptionType type) {
  switch (type) {
    case OptionType::kFlag: return "flag";
    case OptionType::kInteger: return "integer";
    case OptionType::kNumber: return "number";
    case OptionType::kList: return "list";
    case OptionType::kText: break;
  }
  return "text";
}

std::string described_options() {
  SignRunOptions options;
  OptionList list;
  describe(list, options);
  const nlohmann::ordered_json defaults = to_json(list);
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Option& o : list.options()) {
    json.push_back({{"name", o.name},
                    {"group", o.group},
                    {"type", type_name(o.type)},
                    {"default", defaults[o.name]},
                    {"unit", o.unit},
                    {"wanted", o.wanted},
                    {"help", o.help}});
  }
  return json_text(json);
}

const char* kOptimizer = "what signstep_optimizer_new gave";

}  // namespace

const char* signstep_version(void) { return version(); }
const char* signstep_last_error(void) { return last_error(); }

int signstep_set_threads(uint32_t threads) {
  return guarded([&] { set_shared_threads(threads); });
}
uint32_t signstep_threads(void) { return shared_threads(); }

int signstep_options(char* text, size_t size, size_t* needed) {
  return guarded([&] { copy_text(described_options(), text, size, needed); });
}

int signstep_optimizer_new(const char* options, uint64_t tensors, signstep_optimizer** out) {
  return guarded([&] {
    require_pointer(options, "options", "a JSON object or TOML; {} for the defaults");
    require_pointer(out, "out", "where to put the optimizer");
    *out = new signstep_optimizer(options, tensors);
  });
}

void signstep_optimizer_free(signstep_optimizer* optimizer) { delete optimizer; }

int signstep_optimizer_grow(signstep_optimizer* optimizer, uint64_t tensors) {
  return guarded([&] {
    require_pointer(optimizer, "optimizer", kOptimizer);
    optimizer->grow(tensors);
  });
}

int signstep_optimizer_set_rank(signstep_optimizer* optimizer, uint32_t rank) {
  return guarded([&] {
    require_pointer(optimizer, "optimizer", kOptimizer);
    optimizer->set_rank(rank);
  });
}

int signstep_optimizer_options(const signstep_optimizer* optimizer, char* text, size_t size, size_t* needed) {
  return guarded([&] {
    require_pointer(optimizer, "optimizer", kOptimizer);
    copy_text(optimizer->options(), text, size, needed);
  });
}

uint64_t signstep_optimizer_steps(const signstep_optimizer* optimizer) { return optimizer ? optimizer->steps() : 0; }
uint32_t signstep_optimizer_buffers(const signstep_optimizer* optimizer) {
  return optimizer ? optimizer->buffers() : 0;
}
uint32_t signstep_optimizer_run_buffers(const signstep_optimizer* optimizer) {
  return optimizer ? optimizer->run_buffers() : 0;
}

int signstep_optimizer_step(signstep_optimizer* optimizer, const signstep_tensor* tensors, uint64_t count,
                            signstep_passes passes, void* context, signstep_report* report) {
  return guarded([&] {
    require_pointer(optimizer, "optimizer", kOptimizer);
    if (count > 0) require_pointer(tensors, "tensors", "as many tensors as count says");
    const signstep_report done = optimizer->step({tensors, count}, passes, context);
    if (report != nullptr) *report = done;
  });
}

int signstep_optimizer_event(const signstep_optimizer* optimizer, char* text, size_t size, size_t* needed) {
  return guarded([&] {
    require_pointer(optimizer, "optimizer", kOptimizer);
    copy_text(optimizer->event(), text, size, needed);
  });
}

int signstep_optimizer_state(const signstep_optimizer* optimizer, char* text, size_t size, size_t* needed) {
  return guarded([&] {
    require_pointer(optimizer, "optimizer", kOptimizer);
    copy_text(optimizer->state(), text, size, needed);
  });
}

int signstep_optimizer_restore(signstep_optimizer* optimizer, const char* state) {
  return guarded([&] {
    require_pointer(optimizer, "optimizer", kOptimizer);
    require_pointer(state, "state", "what signstep_optimizer_state gave");
    optimizer->restore(state);
  });
}
