// SPDX-License-Identifier: Apache-2.0
// A run that is saved and loaded ends with the bits of one that was never stopped.
#include <sstream>

#include "tests/libtorch/sign_sgd_fixtures.h"

namespace signstep {
namespace {

using testing::HasSubstr;
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
              HasSubstr("1 groups do not hold the 4 parameters"));

  Model wider;
  wider.parameters[0] = leaf(torch::randn({200, 31}));
  SignSGD trained(groups_of(wider, options), options);
  run(wider, trained, 0, 1);
  EXPECT_THAT(error(saved(trained)), HasSubstr("or hold others"));

  EXPECT_EQ(optimizer.steps(), 3u);
  Model same;
  SignSGD again(groups_of(same, options), options);
  run(same, again, 0, 3);
  run(model, optimizer, 3, 12);
  run(same, again, 3, 12);
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(model.parameters[i].equal(same.parameters[i])) << i;
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
