// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <thread>

#include "signstep/base/option.h"
#include "signstep/optim/sign_run_options.h"
#include "tests/c/c_fixtures.h"

namespace signstep {
namespace {

std::string refused(int code, const std::string& options) {
  signstep_optimizer* out = nullptr;
  EXPECT_EQ(signstep_optimizer_new(options.c_str(), 1, &out), code) << options;
  EXPECT_EQ(out, nullptr);
  return signstep_last_error();
}

TEST(CInterface, WrongOptionsGiveACodeAndTheMessageOfTheOptions) {
  EXPECT_NE(refused(SIGNSTEP_OPTION, R"({"momentun": 0.9})").find("momentum"), std::string::npos);
  EXPECT_NE(refused(SIGNSTEP_OPTION, R"({"momentum": 1.5})").find("in [0, 1)"), std::string::npos);
  EXPECT_NE(refused(SIGNSTEP_OPTION, R"({"dither": "relative"})").find("total_steps is 0"), std::string::npos);
  EXPECT_NE(refused(SIGNSTEP_DATA, R"({"momentum": )").find("options:1"), std::string::npos);
  EXPECT_NE(refused(SIGNSTEP_OPTION, "momentum = ").find("options"), std::string::npos);
  EXPECT_EQ(signstep_optimizer_new(nullptr, 1, nullptr), SIGNSTEP_OPTION);
  EXPECT_NE(std::string(signstep_last_error()).find("options is NULL"), std::string::npos);
}

TEST(CInterface, OptionsAreJsonOrToml) {
  const auto options_of = [](const char* text) {
    const OptimizerPointer o = make_optimizer(text, 1);
    return text_of(
        [&](char* out, size_t size, size_t* needed) { return signstep_optimizer_options(o.get(), out, size, needed); });
  };
  const std::string json = options_of(R"( {"optimizer": "lion", "beta1": 0.5})");
  EXPECT_EQ(json, options_of("optimizer = \"lion\"\nbeta1 = 0.5\n"));
  EXPECT_EQ(nlohmann::json::parse(json)["beta2"], 0.99);
}

TEST(CInterface, EveryOptionIsDescribed) {
  const std::string text =
      text_of([](char* out, size_t size, size_t* needed) { return signstep_options(out, size, needed); });
  const nlohmann::json json = nlohmann::json::parse(text);
  SignRunOptions options;
  OptionList list;
  describe(list, options);
  ASSERT_EQ(json.size(), list.options().size());
  for (size_t i = 0; i < json.size(); ++i) {
    EXPECT_EQ(json[i]["name"], list.options()[i].name);
    EXPECT_NE(json[i]["help"], "");
  }
}

TEST(CInterface, TextIsCutToTheSizeThatIsThere) {
  char text[8] = "xxxxxxx";
  size_t needed = 0;
  ASSERT_EQ(signstep_options(text, 4, &needed), SIGNSTEP_OK);
  EXPECT_GT(needed, 100u);
  EXPECT_EQ(std::string(text), "[{\"");
  EXPECT_EQ(text[4], 'x');
  EXPECT_EQ(signstep_options(nullptr, 4, &needed), SIGNSTEP_OPTION);
  EXPECT_EQ(signstep_options(text, 4, nullptr), SIGNSTEP_OPTION);
}

TEST(CInterface, MessagesAreEachThreadsOwn) {
  EXPECT_EQ(signstep_set_threads(0), SIGNSTEP_OPTION);
  const std::string own = signstep_last_error();
  EXPECT_NE(own.find("threads is 0"), std::string::npos);
  std::thread([&] {
    EXPECT_STREQ(signstep_last_error(), "");
    EXPECT_EQ(signstep_optimizer_grow(nullptr, 1), SIGNSTEP_OPTION);
  }).join();
  EXPECT_EQ(own, signstep_last_error());
}

TEST(CInterface, AStateThatIsNotItsOwnIsRefusedAndChangesNothing) {
  const OptimizerPointer optimizer = make_optimizer(R"({"dither": "relative", "total_steps": 9})", 1);
  const std::string good = state_of(optimizer);
  const auto refuse = [&](const std::string& text, const char* wanted) {
    EXPECT_EQ(signstep_optimizer_restore(optimizer.get(), text.c_str()), SIGNSTEP_CHECKPOINT) << text;
    EXPECT_NE(std::string(signstep_last_error()).find(wanted), std::string::npos) << signstep_last_error();
    EXPECT_EQ(state_of(optimizer), good);
  };
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(signstep_optimizer_restore(optimizer.get(), good.substr(0, size).c_str()), SIGNSTEP_CHECKPOINT) << size;
  const auto changed = [&](const char* from, const char* to) {
    std::string text = good;
    text.replace(text.find(from), std::string(from).size(), to);
    return text;
  };
  refuse(changed("signstep optimizer 1", "signstep optimizer 9"), "wanted 'signstep optimizer 1'");
  refuse(changed("\"momentum\":0.9", "\"momentum\":0.8"), "momentum is 0.9, wanted 0.8");
  refuse(changed("\"phase\":0", "\"phase\":3"), "phase");
  refuse(changed("\"phase\":0", "\"phase\":4294967296"), "phase");  // 0 in 32 bits
  refuse(changed("\"steps\":0", "\"steps\":-1"), "steps");
  refuse(changed("\"steps\":0", "\"steps\":281474976710656"), "steps");
  refuse(changed("\"dither_rms\":[0.0]", "\"dither_rms\":[-1.0]"), "dither_rms");
  refuse(state_of(make_optimizer(R"({"dither": "relative", "total_steps": 9})", 2)),
         "dither_rms has 2 entries, wanted 1");
  EXPECT_EQ(
      signstep_optimizer_restore(optimizer.get(), changed("\"learning_rate\":0.001", "\"learning_rate\":0.5").c_str()),
      SIGNSTEP_OK);
}

TEST(CInterface, AWrongStepIsFoundBeforeAnythingMoves) {
  const OptimizerPointer optimizer = make_optimizer("{}", 1);
  Arrays arrays({70}, 1);
  const auto before = arrays.x;
  const auto refuse = [&](auto change, const char* wanted) {
    std::vector<signstep_tensor> tensors = arrays.tensors(1e-3, 0);
    change(tensors[0]);
    EXPECT_EQ(signstep_optimizer_step(optimizer.get(), tensors.data(), 1, nullptr, nullptr, nullptr), SIGNSTEP_OPTION);
    EXPECT_NE(std::string(signstep_last_error()).find(wanted), std::string::npos) << signstep_last_error();
    EXPECT_TRUE(same_bits(arrays.x, before));
    EXPECT_EQ(signstep_optimizer_steps(optimizer.get()), 0u);
  };
  refuse([](signstep_tensor& t) { t.lr = -1; }, "-1");
  refuse([](signstep_tensor& t) { t.lr = 1, t.decay = 2; }, "2");
  refuse([](signstep_tensor& t) { t.m = nullptr; }, "m is NULL");
  refuse([](signstep_tensor& t) { t.g = nullptr; }, "g is NULL");
  refuse([](signstep_tensor& t) { t.x = nullptr; }, "x is NULL");
  refuse([](signstep_tensor& t) { t.n = uint64_t{1} << 34; }, "2^34");
}

}  // namespace
}  // namespace signstep
