// SPDX-License-Identifier: Apache-2.0
// The weights and the state that short runs end with, as checksums: a change of the code that moves one bit of any
// rule, dither or switch shows here. A change that is wanted replaces the value, and CHANGELOG.md says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "signstep/io/checksum.h"
#include "signstep/train/speed_probe.h"
#include "tests/support/softmax_engine.h"
#include "tests/train/tiny_run.h"

namespace signstep {
namespace {

struct Golden {
  const char* settings;  // of options, over tiny_run's
  // Of all tensors of the last checkpoint, by name: of the small engine for tests, and of LibTorch.
  const char *softmax, *torch;
};

const Golden kRules[] = {
    {"optimizer=signsgd", "1c09b2c4b33ec87ec1c5cad817e8064b793de2a891d5c21c85455073f1b614f2",
     "ee5b91b94f0ec7bdeb88bd35e73741dc97c290347f8480c7b81d0158928dac3f"},
    {"optimizer=signum", "461b32ae26e7bb0103ed7e640876a45fde1552e8255cb61d0a506dc65e3dbe88",
     "9e8dba4c6972640f29e4bd0a4a9ec97bf4d079d2fdd6fd722fa203bc2c7dc11b"},
    {"optimizer=lion", "f48724d8abf7bdcebd8b5124c23cc871e1aa88c2f4202f21b1e8c5d4d4f7c1b4",
     "e6ad8d4f580c669129f95a4a97db077a14a4234e61e2ae50ae5db67f90385cec"},
    {"optimizer=sgd", "c86e88813573e0e1e80d24aac375b7c8de12b18b44f44d5f8578854f8d3e88d6",
     "24f652d5c7cb03466ab5f1523b825f790fd7185cf9b0bc6307bd02d53a05ae88"},
    {"optimizer=sgd nesterov=true decoupled_weight_decay=0.01",
     "da0d199e1968a6e059a03104ab3eca63400ab60ad8ad016c850ff98b49f09116",
     "648c1119c80f35c17f1f12d8e8fe796fc89667012c929ed6d1c25895eb433683"},
    {"optimizer=adam", "63a9c3648ce66f62805fb7b34f4e5cf0d69a19edbf588f48b365c895e7a649fb",
     "38d2276e2bb9c843900432cae15de6d050690a462de4e12ae45f171da700266d"},
    {"optimizer=adamw", "ad6d33f3ba05f0b43b8ab03763cd0932dd0433e366f4719895a694a7f4e5b16b",
     "944dc95b21af3ec49dc6d94f0cf582bfe883c73d41633a156de75dbc00bb467d"},
    {"optimizer=signsgd dither=relative", "7ded8b7a041007c208578b87e58f87dcb382f58faa827169d3796ab43d054868",
     "4dc75727beb9be029a1f666b7ae8e2a2da65c5249841bad908cfb87719e41c86"},
    {"optimizer=signum dither=relative dither_on=gradient dither_shape=linear",
     "97e8dfa1d28e2bfe7a10120a6bd35a8d28aa4fd89eb5ca1c22d13a701f9931ba",
     "4b820925b8ff4ec01f49c44233419d5b99656be7bb3bf639a1349bf0a08f70de"},
    {"optimizer=signum dither=absolute dither_level=0.001 dither_shape=exponential",
     "2d002bb6cf7a8be0a5e7b2f040d1c4e1e29518c9e43b77579556a7bb115e04b0",
     "f8ffe1ec94757ca4a8eead0989278155bc04a7ecfb9ed5e28e3858785d846e1e"},
    {"optimizer=signum dither=relative dither_noise=uniform dither_until=0.5",
     "82d3b1d80e342544870c2fa0dd81a5b36bf3d14c3eeadde66c5ce88cff0f3bb5",
     "20d846507c3afdd331136c2762a4d522aac9fe60d656a7b1a569d6abb53fc6c0"},
    {"optimizer=signum dither=relative dither_on=mean",
     "79e82fd58403118bb5aa0b981874c107dbaeed8729850b755619773206dd392b",
     "243378bb27f17442cb095b458fc5cb45f16d74493af68823e8b4ef18fb221c72"},
    {"optimizer=signum dither=relative dither_on=post",
     "0b620d2cc7db528e2d1a4cd67fcd7d0df7b454a1ce7e0d3eec7db68915cf39cd",
     "535f94fc0bcd545b1c7e4887ca1d38bde0fe8eb22e0fbf0cb9a01e751d5b8701"},
    {"optimizer=lion dither=maximum dither_noise=uniform dither_shape=constant",
     "20045bdecce5bcf8416dba75d604e5cdf7b3519ec304c7a853d831f8cf4c3c95",
     "459e3266b40f4fee13efceca7a1ebeb754d88e652f8ed84b99a9c30933b857ab"},
    {"optimizer=signum switch_when=at switch_blend=4",
     "de49f11961850e2cc0cbc02e5eb6a996881198d687ef82c09e4b0fbe96c860b3",
     "cbae0dfafe6db313d70616de0232fdfeb4e80d131fe9822a773b90781db5b76b"},
    {"optimizer=signum switch_when=at switch_projection=inner switch_direction=gradient switch_blend=0 "
     "switch_follow=true",
     "e24192aa253fd68da536657d168aa8c7390d41e82e4f3ac9baa6554dbdaa6ed4",
     "b7b31642bbc09140616bb354f528003f6e4d214e445b9278dcc67577461d3d30"},
    {"optimizer=signum switch_when=at switch_projection=swats switch_scope=tensor switch_decay=l2",
     "683f8a0d6b6b52dc67a2481a713f209779ffef48eb223712548c5775a647466b",
     "756a8e2968eba856bcbb42b10a87621543849fd76f4e9fd548ce058b706405c3"},
    {"optimizer=lion switch_when=auto switch_after=0.1 switch_tolerance=0.5 switch_patience=2 switch_decay=sign",
     "eeca4d485372073fe75070e8efa8904113514bf0acc1633fbf0d02839a1a2ed1",
     "6cb535582ad8b9f7c0c5e6a195e121dc1f908329a13a5d87d6ad8d289aab9ae5"},
    {"optimizer=signsgd dither=relative switch_when=at switch_calibrate_from=0.2 switch_projection=inner "
     "switch_negative=absolute",
     "582fb546ef6052fa6d0c6a5646449117291fd39cc590be430dadfeea40a22e20",
     "edfa0e2e4e10afcff7c3f31133430557835e3d011c28ab48aa14ca6b45d000ff"},
};

class GoldenTest : public TrainTest {
 protected:
  std::string final_checksum(TrainOptions o, const std::string& settings) {
    OptionList list = option_list(o);
    std::istringstream words(settings);
    for (std::string word; words >> word;) list.set(word.substr(0, word.find('=')), word.substr(word.find('=') + 1));
    std::filesystem::remove_all(o.output);
    run(o);
    const SafetensorsFile file(find_checkpoint(o.output));
    std::vector<TensorEntry> tensors(file.tensors().begin(), file.tensors().end());
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    std::vector<std::span<const std::byte>> parts;
    for (const TensorEntry& t : tensors) {
      parts.push_back(std::as_bytes(std::span(t.name)));
      parts.push_back(t.bytes);
    }
    return sha256_hex(parts);
  }
};

TEST_F(GoldenTest, OnTheSmallEngine) {
  engines_ = {softmax_engine()};
  for (const Golden& golden : kRules) {
    SCOPED_TRACE(golden.settings);
    EXPECT_EQ(final_checksum(options("run"), golden.settings), golden.softmax);
  }
}

#ifdef SIGNSTEP_LIBTORCH
// LibTorch's gradients are its own, other with another version or processor. Where the first ones differ from those
// that the values above came from, nothing can be said.
constexpr const char* kTorchGradients = "422c322a0a9166112612b125e4bbb12f33a0e10532952b58d31271cac6ecf5c6";

TEST_F(GoldenTest, OnTheTorchEngine) {
  engines_ = {torch_engine()};
  const auto engine =
      make_torch_engine(make_network({.width = 4}, 3, 10), {.precision = Precision::kFp32, .threads = 1});
  initialize(engine->network(), 1, engine->values(), engine->buffers());
  engine->forward_backward(random_batch(32, {3, 40, 40, 10}));
  const std::string gradients = sha256_hex(std::as_bytes(engine->gradients()));
  if (gradients != kTorchGradients) GTEST_SKIP() << "this LibTorch computes other gradients here: " << gradients;
  for (const Golden& golden : kRules) {
    SCOPED_TRACE(golden.settings);
    EXPECT_EQ(final_checksum(options("run"), golden.settings), golden.torch);
  }
}

// By the scalar kernels, half a minute: not in the sanitizers' builds.
TEST_F(GoldenTest, OnTheAmxEnginesReference) {
  engines_ = {amx_engine(ProductUnit::kReference)};
  write_cifar10_fixture(folder_.path("few"), 2, 1);  // 10 images
  TrainOptions o = options("run");
  o.data = folder_.path("few");
  o.network.width = 16;
  o.validation = 0;
  o.batch = 5;
  o.engine.precision = Precision::kBf16;
  EXPECT_EQ(final_checksum(o, "optimizer=signum dither=relative switch_when=at switch_blend=2"),
            "11ddb9cbc72f067f203565438a3cd89879cb04dac4ef20e5a9d7c44014bbb03f");
}

// Every processor with AVX-512 gives these bits: what a bf16 dot product rounds is laid down, and done by hand where
// there is none.
TEST_F(GoldenTest, OnTheAvx512Engine) {
  if (const std::string obstacle = obstacle_of(ProductUnit::kVector); !obstacle.empty()) GTEST_SKIP() << obstacle;
  engines_ = {avx512_engine()};
  TrainOptions o = options("run");
  o.network.width = 16;
  o.engine.precision = Precision::kBf16;
  EXPECT_EQ(final_checksum(o, "optimizer=signum dither=relative switch_when=at switch_blend=2"),
            "0a3d2af0a09811c23cec099cbf1e609dd8686f92be23d16ae56537cb6acac995");
}
#endif

}  // namespace
}  // namespace signstep
