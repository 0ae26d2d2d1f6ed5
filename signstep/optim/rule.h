// SPDX-License-Identifier: Apache-2.0
// The contract of an update rule. Options, state and step are three things:
//
//   RuleOptions     what a family of rules can be told, described once; makes
//   UpdateRule      the rule of one run: which state it keeps, and its step, a function of that state and
//   OptimizerState  all that a checkpoint must hold
//
// A family is one pair of files under rules/ and one line of rules/rules.cc, or a RuleFamily that a caller adds to the
// table (rule_table.h, examples/custom_rule.cc).
#pragma once

#include <any>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "signstep/base/option.h"
#include "signstep/optim/dither_options.h"
#include "signstep/optim/step_report.h"
#include "signstep/optim/switch_options.h"
#include "signstep/optim/worker_options.h"
#include "signstep/parallel/executor.h"

namespace signstep {

// One tensor of the list: size elements that start at offset of every flat buffer (value, gradient and state alike).
struct TensorSlot {
  size_t offset = 0;
  size_t size = 0;
  // As the network names it, (out, in, height, width) for a convolution; empty where nobody said. The first dimension
  // is outermost in the buffers; how the others lie is the engine's affair.
  std::vector<int64_t> shape = {};
};

struct StateBuffer {
  std::string name;           // "m"
  std::vector<float> values;  // flat, like the parameters
};

struct OptimizerState {
  uint64_t step = 0;  // steps taken
  std::vector<StateBuffer> buffers;
  std::any extra;  // what a rule keeps besides, of its own type

  std::span<float> buffer(std::string_view name);  // empty where the rule keeps none of that name
};

// Goes through the fields of a rule's extra state, to write or to read them: the names in a checkpoint's JSON. Doubles
// survive exactly. A reader throws DataError for what is absent, of another type or above most.
class StateFields {
 public:
  virtual ~StateFields() = default;
  virtual void field(const char* name, uint64_t& value, uint64_t most = UINT64_MAX) = 0;
  virtual void field(const char* name, bool& value) = 0;
  virtual void field(const char* name, std::vector<double>& value) = 0;
  virtual void field(const char* name, std::vector<uint64_t>& value) = 0;
  virtual std::unique_ptr<StateFields> object(const char* name) = 0;  // the fields within that one
};

class BaselineStepper;  // kernels/baseline_stepper.h
class Communicator;     // wire/communicator.h
class Stepper;          // kernels/stepper.h

// What a step is taken on.
struct RuleStep {
  std::span<const TensorSlot> tensors;
  std::span<float> values;  // flat, stepped in place; what lies between tensors is left alone
  std::span<const float> gradients;
  double rate;  // lr_t: the peak rate times the schedule's factor
  Executor& executor;
  Communicator* world = nullptr;  // the ranks of the run, for a rule that joins them; null or of one: alone
};

// What a step is taken on where the arrays lie in the memory that a stepper works on: addresses, which only it looks
// at.
struct PassStep {
  std::span<const TensorSlot> tensors;
  float* values;  // flat, stepped in place
  const float* gradients;
  std::span<float* const> buffers;  // the state's, in the order of UpdateRule::buffers(); those of OptimizerState are
                                    // not looked at
  double rate;                      // lr_t
  Stepper& stepper;                 // of the sign rules
  BaselineStepper& baselines;
};

// A step that is made of passes, so that others than the host can compute it.
class PassRule {
 public:
  virtual ~PassRule() = default;
  // UpdateRule::step of a rule that is alone, with the same bits.
  virtual StepReport step(const PassStep& step, OptimizerState& state) const = 0;
};

class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  virtual double learning_rate() const = 0;  // the peak
  // Names of the flat buffers that it keeps, each as long as the parameters and 0 at the start; a checkpoint has them
  // as tensors optimizer.NAME.TENSOR.
  virtual std::vector<std::string> buffers() const { return {}; }
  // One step; state.step steps were taken before and are counted by the caller. A coordinate whose gradient is NaN or
  // infinite takes no step and no decay, keeps its state and is counted. The same bits for any executor. Throws
  // OptionError, before anything is touched, for a rate that is negative, not finite or takes all of a weight by decay.
  virtual StepReport step(const RuleStep& step, OptimizerState& state) const = 0;
  // The same step by passes; null for a rule that has a loop of its own and steps the host's memory alone.
  virtual const PassRule* by_passes() const { return nullptr; }

  // In a run of several ranks every rank takes the same steps. Either step() brings that about itself, by the world
  // that it is given, or the caller gives it the mean of the ranks' gradients, and no world.
  virtual bool joins_ranks() const { return false; }
  // Throws OptionError for what cannot be in a run of that many ranks, 2 or more.
  virtual void require_ranks(size_t /*ranks*/) const {}

  // The extra state at the start, its fields under extra_name() in a checkpoint, and whether one that was read belongs
  // to this rule and number of tensors (throws CheckpointError).
  virtual std::any extra(size_t /*tensors*/) const { return {}; }
  virtual const char* extra_name() const { return "rule"; }
  virtual void visit_extra(std::any& /*extra*/, StateFields& /*fields*/) const {}
  virtual void require_fit(const std::any& /*extra*/, size_t /*tensors*/) const {}
};

// What else of a run a rule may ask for.
struct RuleContext {
  DitherOptions dither;     // resolved; none for a rule that takes no sign
  SwitchOptions switching;  // resolved; never for a rule that takes no sign
  uint64_t seed = 0;
  uint64_t total_steps = 1;    // of the run, >= 1
  WorkerOptions workers = {};  // of the run, for a rule that joins them
};

// The options of a family, for one of its rules.
class RuleOptions {
 public:
  virtual ~RuleOptions() = default;

  // Lists them. One that other families have by the same name is one flag for all of them.
  virtual void describe(OptionList& list) = 0;
  // Fills what is auto with the rule's documented default and refuses what cannot be beyond the ranges described.
  // Resolving twice changes nothing. Throws OptionError.
  virtual void resolve() {}
  // After resolve(). Throws OptionError for what cannot be in a run of that length.
  virtual std::unique_ptr<UpdateRule> make(const RuleContext& context) const = 0;

  // For a rule that steps by a sign, after resolve(): what the switch must know of it. Dither and switch are refused
  // for the others.
  virtual std::optional<SwitchedRule> switched() const { return std::nullopt; }
  // What to say to who gave this rule an option of another family, "" for nothing: "it has decoupled_weight_decay".
  virtual std::string instead_of(std::string_view /*option*/) const { return ""; }
  // Called where a rule of another family was chosen. Throws OptionError for what then cannot be meant and is not auto.
  virtual void require_unused() const {}
};

}  // namespace signstep
