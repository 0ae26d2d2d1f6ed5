// SPDX-License-Identifier: Apache-2.0
#include "signstep/wire/rendezvous.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "signstep/base/error.h"
#include "tests/support/environment.h"
#include "tests/support/message_of.h"

namespace signstep {
namespace {

using ::testing::HasSubstr;

constexpr const char* kNames[] = {"RANK",
                                  "WORLD_SIZE",
                                  "MASTER_ADDR",
                                  "MASTER_PORT",
                                  "TORCHELASTIC_USE_AGENT_STORE",
                                  "TORCHELASTIC_RESTART_COUNT",
                                  "LOCAL_WORLD_SIZE",
                                  "LOCAL_RANK"};

// These and no others of the names above.
std::optional<Rendezvous> with(const std::map<std::string, std::string>& values) {
  std::vector<std::unique_ptr<EnvironmentVariable>> kept;
  for (const char* name : kNames) {
    const auto it = values.find(name);
    kept.push_back(std::make_unique<EnvironmentVariable>(name, it == values.end() ? "" : it->second));
    if (it == values.end()) ::unsetenv(name);
  }
  return rendezvous_from_environment();
}

const std::map<std::string, std::string> kPlain = {
    {"RANK", "2"}, {"WORLD_SIZE", "3"}, {"MASTER_ADDR", "node1"}, {"MASTER_PORT", "29500"}};

std::map<std::string, std::string> but(const std::string& name, const std::string& value) {
  auto values = kPlain;
  values[name] = value;
  return values;
}

TEST(Rendezvous, IsWhatTorchrunSays) {
  const std::optional<Rendezvous> plain = with(kPlain);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->rank, 2u);
  EXPECT_EQ(plain->size, 3u);
  EXPECT_EQ(plain->address, "node1");
  EXPECT_EQ(plain->port, 29500);
  EXPECT_FALSE(plain->store_is_there);
  EXPECT_EQ(plain->prefix, "");

  auto agent = but("TORCHELASTIC_USE_AGENT_STORE", "True");
  agent.emplace("TORCHELASTIC_RESTART_COUNT", "4");
  EXPECT_TRUE(with(agent)->store_is_there);
  EXPECT_EQ(with(agent)->prefix, "/worker/attempt_4");
  agent["TORCHELASTIC_USE_AGENT_STORE"] = "False";
  EXPECT_FALSE(with(agent)->store_is_there);
}

TEST(Rendezvous, CountsTheRanksOfAMachine) {
  auto values = kPlain;
  EXPECT_EQ(with(values)->here, 3u);  // nothing said: all on one
  EXPECT_EQ(with(values)->local_rank, 2u);
  values["LOCAL_WORLD_SIZE"] = "2";
  EXPECT_EQ(with(values)->here, 2u);
  EXPECT_EQ(with(values)->local_rank, 0u);
  values["LOCAL_RANK"] = "1";
  EXPECT_EQ(with(values)->local_rank, 1u);
  values["LOCAL_RANK"] = "2";
  EXPECT_THAT(message_of<OptionError>([&] { with(values); }), HasSubstr("LOCAL_RANK is '2'; wanted 0 to 1"));
}

TEST(Rendezvous, IsNothingForAProcessOfItsOwn) {
  EXPECT_FALSE(with({}));
  EXPECT_FALSE(with({{"MASTER_ADDR", "node1"}, {"MASTER_PORT", "29500"}}));
}

TEST(Rendezvous, NamesTheVariableThatIsWrong) {
  const auto advised = [](const char* what) {
    return fmt::format(
        "the environment variable {}; start every rank by torchrun, or set RANK, WORLD_SIZE, "
        "MASTER_ADDR and MASTER_PORT",
        what);
  };
  const auto message = [](const std::map<std::string, std::string>& values) {
    return message_of<OptionError>([&] { with(values); });
  };
  EXPECT_EQ(message({{"RANK", "0"}}), advised("WORLD_SIZE is not set, though others of a run with several ranks are"));
  EXPECT_EQ(message(but("RANK", "3")), advised("RANK is '3'; wanted 0 to 2"));
  EXPECT_EQ(message(but("WORLD_SIZE", "many")), advised("WORLD_SIZE is 'many'; wanted 1 to 65534"));
  EXPECT_EQ(message(but("MASTER_PORT", "65536")), advised("MASTER_PORT is '65536'; wanted 1 to 65535"));
  EXPECT_NE(message(but("MASTER_ADDR", "")).find("MASTER_ADDR is not set"), std::string::npos);
  EXPECT_NE(message(but("TORCHELASTIC_USE_AGENT_STORE", "True")).find("TORCHELASTIC_RESTART_COUNT is not set"),
            std::string::npos);
}

}  // namespace
}  // namespace signstep
