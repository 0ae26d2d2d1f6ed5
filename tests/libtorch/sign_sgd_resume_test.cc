// SPDX-License-Identifier: Apache-2.0
// A run that is saved and loaded ends with the bits of one that was never stopped.
#include <sstream>

#include "signstep/libtorch/sign_sgd_archive.h"
#include "tests/libtorch/sign_sgd_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using enum OptimizerKind;

// Tensors for the kernels, in two layouts, and for tensor operations; a function of the step for a gradient.
struct Model {
  std::vector<at::Tensor> parameters;
  Model() {
    torch::manual_seed(1);
    parameters = {leaf(torch::randn({200, 30})), leaf(torch::randn({4, 3, 3, 5}).permute({0, 3, 1, 2})),
                  leaf(torch::randn({40}, torch::kDouble)), leaf(torch::randn({40}).to(torch::kBFloat16))};
  }
  explicit Model(const Model& other) {
    for (const at::Tensor& p : other.parameters) parameters.push_back(leaf(p.detach().clone()));
  }
  void gradients(int t) {
    torch::manual_seed(100 + t);
    for (at::Tensor& p : parameters) set_gradient(p, torch::randn_like(p) + 0.1 * p.detach());
    if (t % 3 == 1) parameters[1].mutable_grad().reset();  // once defined, once not
  }
};

std::vector<torch::optim::OptimizerParamGroup> groups_of(const Model& model, const SignSGDOptions& options) {
  SignSGDOptions slow = options;
  slow.rule.learning_rate = 0.003;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{model.parameters[0], model.parameters[1]});
  groups.emplace_back(std::vector<at::Tensor>{model.parameters[2], model.parameters[3]},
                      std::make_unique<SignSGDOptions>(slow));
  return groups;
}

void run(Model& model, SignSGD& optimizer, int from, int to) {
  for (int t = from; t < to; ++t) {
    model.gradients(t);
    optimizer.step();
    for (auto& group : optimizer.param_groups()) group.options().set_lr(group.options().get_lr() * 0.97);
  }
}

std::string saved(const SignSGD& optimizer) {
  std::ostringstream out;
  torch::save(optimizer, out);
  return out.str();
}
void load(SignSGD& optimizer, const std::string& bytes) {
  std::istringstream in(bytes);
  torch::load(optimizer, in);
}

TEST(SignSGDResume, BitForBitInEveryPhase) {
  for (const OptimizerKind kind : {kSignSgd, kSignum, kLion}) {
    for (const SwitchScope scope : {SwitchScope::kGlobal, SwitchScope::kTensor}) {
      SignSGDOptions options = everything(kind);
      options.switching.switch_scope = scope;
      options.switching.switch_follow = scope == SwitchScope::kTensor;
      for (const int stop : {0, 1, 5, 6, 8, 10, 15}) {  // calibrating, at the switch, blending, SGD
        SCOPED_TRACE(testing::Message() << display_name(kind) << " stopped after " << stop);
        Model whole, part;
        SignSGD uninterrupted(groups_of(whole, options), options), first(groups_of(part, options), options);
        run(whole, uninterrupted, 0, 20);
        run(part, first, 0, stop);
        Model resumed(part);
        SignSGD second(groups_of(resumed, options), options);
        load(second, saved(first));
        EXPECT_EQ(second.steps(), static_cast<uint64_t>(stop));
        run(resumed, second, stop, 20);
        for (size_t i = 0; i < 4; ++i) {
          ASSERT_TRUE(resumed.parameters[i].equal(whole.parameters[i])) << i;
          ASSERT_TRUE(second.average(i).equal(uninterrupted.average(i))) << i;
        }
        EXPECT_EQ(second.report().phase, SwitchPhase::kSgd);
        EXPECT_EQ(second.report().switching.sgd_rate, uninterrupted.report().switching.sgd_rate);
      }
    }
  }
}

// Each coordinate's maximum goes with it, on the kernels' tensors and on the others.
TEST(SignSGDResume, TheMaximaOfADither) {
  SignSGDOptions options = plain(kSignum, 0.01);
  options.dither = {
      .dither = DitherKind::kMaximum, .dither_shape = DitherShape::kConstant, .dither_noise = DitherNoise::kUniform};
  Model whole, part;
  SignSGD uninterrupted(groups_of(whole, options), options), first(groups_of(part, options), options);
  run(whole, uninterrupted, 0, 20);
  run(part, first, 0, 9);
  Model resumed(part), forgetful(part);
  SignSGD second(groups_of(resumed, options), options), none(groups_of(forgetful, options), options);
  load(second, saved(first));
  run(resumed, second, 9, 20);
  run(forgetful, none, 9, 20);
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(resumed.parameters[i].equal(whole.parameters[i])) << i;
    EXPECT_FALSE(forgetful.parameters[i].equal(whole.parameters[i])) << i;
  }
}

TEST(SignSGDResume, AnotherOptimizersStateIsRefusedAndChangesNothing) {
  const SignSGDOptions options = everything();
  Model model;
  SignSGD optimizer(groups_of(model, options), options);
  run(model, optimizer, 0, 3);
  const std::string before = saved(optimizer);
  const auto error = [&](const std::string& bytes) {
    return message<CheckpointError>([&] { load(optimizer, bytes); });
  };

  torch::optim::SGD sgd(model.parameters, torch::optim::SGDOptions(0.1));
  std::ostringstream foreign;
  torch::save(sgd, foreign);
  EXPECT_THAT(error(foreign.str()), HasSubstr("does not hold the state of a SignSGD 1"));

  SignSGDOptions other = options;
  other.dither.dither_level = 0.5;
  EXPECT_THAT(error(saved(SignSGD(groups_of(model, other), other))),
              HasSubstr("dither_level is 1, wanted 0.5, as in the archive"));
  EXPECT_THAT(error(saved(SignSGD({model.parameters[0]}, options))),
              HasSubstr("the archive has 1 parameter groups, this optimizer 2"));

  Model wider;
  wider.parameters[0] = leaf(torch::randn({200, 31}));
  SignSGD trained(groups_of(wider, options), options);
  run(wider, trained, 0, 1);
  EXPECT_THAT(error(saved(trained)),
              HasSubstr("the average of parameter 0 is Float (200, 31) in the archive; wanted Float "
                        "(200, 30); construct the optimizer with the parameters of the saved one"));
  std::vector<torch::optim::OptimizerParamGroup> regrouped;
  regrouped.emplace_back(std::vector<at::Tensor>{model.parameters[0]});
  regrouped.emplace_back(std::vector<at::Tensor>(model.parameters.begin() + 1, model.parameters.end()));
  EXPECT_THAT(error(saved(SignSGD(regrouped, options))),
              HasSubstr("parameter group 0 has 1 parameters in the archive, 2 in this optimizer"));

  EXPECT_EQ(optimizer.steps(), 3u);
  Model same;
  SignSGD again(groups_of(same, options), options);
  run(same, again, 0, 3);
  run(model, optimizer, 3, 12);
  run(same, again, 3, 12);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(model.parameters[i].equal(same.parameters[i])) << i;
}

TEST(SignSGDResume, RatesAndDecaysOfTheGroupsComeBack) {
  const SignSGDOptions options = plain(kSignum, 0.1);
  Model model;
  SignSGD optimizer(groups_of(model, options), options), other(groups_of(model, options), options);
  SignSGDOptions& changed = sign_sgd_options(optimizer.param_groups()[1]);
  changed.set_lr(0);  // as a warm-up begins
  changed.rule.decoupled_weight_decay = 0.5;
  load(other, saved(optimizer));
  const auto seen = [&](size_t g) { return sign_sgd_options(other.param_groups()[g]).rule; };
  EXPECT_EQ(seen(0).learning_rate, 0.1);
  EXPECT_EQ(seen(0).decoupled_weight_decay, 0.0);
  EXPECT_EQ(seen(1).learning_rate, 0.0);
  EXPECT_EQ(seen(1).decoupled_weight_decay, 0.5);
}

TEST(SignSGDResume, ASeedAndALengthMayDifferWhereNothingDependsOnThem) {
  at::Tensor x = leaf(torch::zeros({3}));
  const auto error = [&](SignSGDOptions first) {
    SignSGDOptions second = first;
    second.total_steps += 50;
    const std::string length = message<CheckpointError>([&] {
      SignSGD o({x}, second);
      load(o, saved(SignSGD({x}, first)));
    });
    second = first;
    ++second.seed;
    const std::string seed = message<CheckpointError>([&] {
      SignSGD o({x}, second);
      load(o, saved(SignSGD({x}, first)));
    });
    return length + '\n' + seed;
  };
  EXPECT_EQ(error(plain(kSignum)), "no error\nno error");
  SignSGDOptions o = plain(kSignum);
  o.total_steps = 100;
  o.rule.zero = ZeroPolicy::kRandom;
  o.switching = {.switch_when = SwitchWhen::kAt, .switch_step = 10};
  EXPECT_THAT(error(o), StartsWith("no error\nseed is 1, wanted 0, as in the archive"));
  o.switching = {.switch_when = SwitchWhen::kAt, .switch_at = 0.5};
  EXPECT_THAT(error(o), StartsWith("total_steps is 150, wanted 100, as in the archive"));
  o = everything();
  EXPECT_THAT(error(o), StartsWith("total_steps is 70, wanted 20, as in the archive"));
}

// Groups that came in through the base class after the last step are in the archive as the next step would take them.
TEST(SignSGDResume, AGroupThatWasJustAddedIsSaved) {
  at::Tensor a = leaf(torch::zeros({3})), b = leaf(torch::zeros({4}));
  SignSGD first({a}, everything()), second({a}, everything());
  set_gradient(a, torch::ones({3}));
  first.step();
  static_cast<torch::optim::Optimizer&>(first).add_param_group(torch::optim::OptimizerParamGroup({b}));
  second.add_param_group(torch::optim::OptimizerParamGroup({b}));
  load(second, saved(first));
  EXPECT_EQ(second.steps(), 1u);
  EXPECT_TRUE(second.average(0).equal(first.average(0)));
  EXPECT_FALSE(second.average(1).defined());
  second.step();
}

TEST(SignSGDResume, NumbersThatCannotBeAreRefused) {
  at::Tensor x = leaf(torch::zeros({3}));
  SignSGD optimizer({x}, everything());
  set_gradient(x, torch::ones({3}));
  optimizer.step();
  const auto error = [&](auto&& change) {
    torch::serialize::InputArchive in;
    std::istringstream bytes(saved(optimizer));
    in.load_from(bytes);
    SavedSignSGD content = read_archive(in, 1);
    change(content);
    torch::serialize::OutputArchive out;
    write_archive(out, content);
    std::ostringstream changed;
    out.save_to(changed);
    return message<CheckpointError>([&] { load(optimizer, changed.str()); });
  };
  EXPECT_THAT(error([](auto& c) { c.groups[0].second.set_lr(-1); }),
              HasSubstr("parameter group 0 of the archive: learning_rate is -1; wanted a finite"));
  EXPECT_THAT(error([](auto& c) { c.groups[0].second.rule.decoupled_weight_decay.reset(); }),
              HasSubstr("decoupled_weight_decay is auto; wanted a number"));
  EXPECT_THAT(error([](auto& c) { c.groups[0].second.rule.decoupled_weight_decay = std::nan(""); }),
              HasSubstr("the archive holds an option that cannot be"));
  EXPECT_THAT(error([](auto& c) { c.state.dither.rms.push_back(1); }), HasSubstr("dither_rms has 2 entries, wanted 1"));
  EXPECT_THAT(error([](auto& c) { c.state.dither.rms[0] = -1; }), HasSubstr("dither_rms[0] is -1; wanted"));
  EXPECT_THAT(error([](auto& c) { c.state.dither.rms[0] = std::nan(""); }), HasSubstr("dither_rms[0] is nan; wanted"));
  EXPECT_THAT(error([](auto& c) { c.steps = ~uint64_t{0}; }), HasSubstr("wanted less than 2^48"));
  EXPECT_EQ(error([](auto&) {}), "no error");
}

// What an archive of an older version has no option for means what that version did.
TEST(SignSGDResume, OptionsOfAnOlderArchive) {
  SignSGDOptions options = everything();
  OptionList list;
  describe(list, options);
  torch::serialize::OutputArchive out;
  for (const Option& option : list.options()) {
    if (option.name == "learning_rate" || option.name == "switch_decay" || option.name == "switch_follow") continue;
    out.write(option.name, c10::IValue(option.text()));
  }
  out.write("learning_rate", c10::IValue(0.5));
  std::stringstream bytes;
  out.save_to(bytes);
  torch::serialize::InputArchive in;
  in.load_from(bytes);
  SignSGDOptions read;
  read.serialize(in);
  EXPECT_EQ(read.switching.switch_decay, SwitchDecay::kSign);
  EXPECT_FALSE(read.switching.switch_follow);
  EXPECT_EQ(read.switching.switch_step, options.switching.switch_step);
  EXPECT_EQ(read.get_lr(), 0.5);
}

// A cut archive is LibTorch's error; a whole one that lacks an entry is ours.
TEST(SignSGDResume, AnIncompleteArchiveIsRefused) {
  at::Tensor x = leaf(torch::zeros({3}));
  SignSGD optimizer({x}, SignSGDOptions(0.1));
  torch::serialize::OutputArchive out;
  out.write("signstep", c10::IValue("SignSGD 1"));
  std::ostringstream bytes;
  out.save_to(bytes);
  EXPECT_THAT(message<CheckpointError>([&] { load(optimizer, bytes.str()); }), HasSubstr("the archive is incomplete"));
  const std::string whole = saved(optimizer);
  EXPECT_THROW(load(optimizer, whole.substr(0, whole.size() / 2)), c10::Error);
}

}  // namespace
}  // namespace signstep
