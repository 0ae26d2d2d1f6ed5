// SPDX-License-Identifier: Apache-2.0
// A network's weights as safetensors and as PyTorch's archive.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/base/error.h"
#include "signstep/export/format.h"
#include "signstep/export/zip_stored.h"
#include "tests/support/message_of.h"
#include "tests/support/python.h"
#include "tests/support/temporary_folder.h"

namespace signstep {
namespace {

using testing::HasSubstr;

struct Example {
  const std::vector<float> weight = {1, -2, 3.5f, 0, 5, 6}, variance = {0.25f, 4};
  const int64_t steps = int64_t{1} << 33;
  const std::vector<TensorEntry> tensors =
      with_batches_tracked({{"conv1.weight", "F32", {1, 2, 3}, std::as_bytes(std::span(weight))},
                            {"bn1.running_var", "F32", {2}, std::as_bytes(std::span(variance))},
                            {"none", "F32", {0, 4}, {}}},
                           steps);
};

TEST(ExportNetworkTest, EachNormCountsItsBatches) {
  const Example example;
  ASSERT_EQ(example.tensors.size(), 4u);
  EXPECT_EQ(example.tensors[2].name, "bn1.num_batches_tracked");
  EXPECT_EQ(example.tensors[2].shape.size(), 0u);
}

TEST(ExportNetworkTest, SafetensorsReadBack) {
  const TemporaryFolder folder;
  const Example example;
  find_export_format("safetensors").network({example.tensors, {{"width", "64"}}}, folder.path("n"));
  const SafetensorsFile file(folder.path("n"));
  EXPECT_EQ(file.metadata().at("width"), "64");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_EQ(file.tensors().size(), 4u);
  const TensorEntry* steps = file.find("bn1.num_batches_tracked");
  ASSERT_NE(steps, nullptr);
  EXPECT_EQ(steps->dtype, "I64");
  EXPECT_EQ(std::memcmp(steps->bytes.data(), &example.steps, 8), 0);
}

TEST(ExportNetworkTest, PyTorchsArchiveIsReadBackByAnIndependentReader) {
  if (!python_has("json")) GTEST_SKIP() << "Python is missing, so the archive was NOT read back; install python3";
  const TemporaryFolder folder;
  const Example example;
  find_export_format("pt").network({example.tensors, {}}, folder.path("n.pt"));
  const PythonResult read = run_python(SIGNSTEP_READ_PT, {folder.path("n.pt")}, folder.path(""));
  ASSERT_EQ(read.status, 0) << read.errors;
  EXPECT_EQ(nlohmann::json::parse(read.output), nlohmann::json::parse(R"({
    "conv1.weight": {"shape": [1, 2, 3], "stride": [6, 3, 1], "values": [1, -2, 3.5, 0, 5, 6]},
    "bn1.running_var": {"shape": [2], "stride": [1], "values": [0.25, 4]},
    "bn1.num_batches_tracked": {"shape": [], "stride": [], "values": [8589934592]},
    "none": {"shape": [0, 4], "stride": [4, 1], "values": []}})"));
}

TEST(ExportNetworkTest, AnArchiveBeyondThePlainFormatIsRefused) {
  const char byte = 0;
  ZipStored archive;
  // Refused by its length: nothing of it is read.
  const std::span<const std::byte> much(reinterpret_cast<const std::byte*>(&byte), size_t{1} << 32);
  EXPECT_THAT(message_of<OptionError>([&] { archive.add("data", much); }), HasSubstr("4 GiB of weights or more"));
  for (int i = 0; i < 65534; ++i) archive.add("a", {});
  EXPECT_THAT(message_of<OptionError>([&] { archive.add("a", {}); }), HasSubstr("65,000 tensors"));
}

TEST(ExportNetworkTest, OnnxWantsEveryTensorOfTheLayers) {
  const TemporaryFolder folder;
  const std::vector<float> weight(4 * 3 * 3 * 3), norm(4);
  const auto refusal = [&](const std::vector<TensorEntry>& tensors) {
    const TrainedNetwork network{tensors, {}, make_network({.width = 4, .norm = NormKind::kGroup}, 3, 10)};
    return message_of<OptionError>([&] { find_export_format("onnx").network(network, folder.path("n.onnx")); });
  };
  EXPECT_THAT(refusal({}), HasSubstr("the weights have no conv1.weight of shape 4 x 3 x 3 x 3 that ResNet-18 has"));
  const auto bytes = std::as_bytes(std::span(norm));
  EXPECT_THAT(refusal({{"conv1.weight", "F32", {4, 3, 3, 3}, std::as_bytes(std::span(weight))},
                       {"bn1.weight", "F32", {4}, bytes},
                       {"bn1.bias", "F32", {4}, bytes}}),
              HasSubstr("no bn1.running_mean"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("n.onnx")));
}

}  // namespace
}  // namespace signstep
