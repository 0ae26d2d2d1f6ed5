// SPDX-License-Identifier: Apache-2.0
// signstep export as a user runs it, its networks in torchvision, and train --tensorboard.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "signstep/data/catalog.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"
#include "signstep/io/safetensors.h"
#include "tests/cli/program.h"
#include "tests/support/python.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ExportCommandTest : public ProgramTest {
 protected:
  ExportCommandTest() { write_cifar10_fixture(path("data"), 20, 1); }
  std::string train(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"train", "--data",  path("data"), "--output",     path(name), "--epochs",
                                    "1",     "--batch", "25",         "--precision",  "fp32",     "--threads",
                                    "1",     "--width", "4",          "--validation", "0"};
    all.insert(all.end(), more.begin(), more.end());
    return run(0, all);
  }
  nlohmann::json events(const std::string& folder) const {
    const std::vector<std::string> names = names_in(folder);
    EXPECT_EQ(names.size(), 1u);
    const PythonResult read = run_python(SIGNSTEP_READ_EVENTS, {folder + "/" + names.at(0)}, path(""));
    EXPECT_EQ(read.status, 0) << read.errors;
    return nlohmann::json::parse(read.output);
  }
};

TEST_F(ExportCommandTest, TorchvisionComputesWhatEvalComputes) {
  if (!python_has("torchvision"))
    GTEST_SKIP() << "torchvision is missing, so exported networks were NOT loaded by it; install python3-torchvision";
  train("run", {"--width", "64"});
  EXPECT_THAT(run(0, {"export", path("run"), "--to", "pt"}), HasSubstr("Written " + path("run/export/network.pt")));
  const auto ours = nlohmann::json::parse(run(0, {"eval", path("run"), "--json"}));
  const PythonResult theirs =
      run_python(SIGNSTEP_CHECK_TORCHVISION, {path("run/export/network.pt"), path("data/test_batch.bin")}, path(""));
  ASSERT_EQ(theirs.status, 0) << theirs.errors;
  const auto seen = nlohmann::json::parse(theirs.output);
  EXPECT_NEAR(seen["accuracy"].get<double>(), ours["accuracy"].get<double>(), 1e-4);
  EXPECT_NEAR(seen["loss"].get<double>(), ours["loss"].get<double>(), 1e-4 * ours["loss"].get<double>());
  EXPECT_EQ(seen["batches"], 4);
}

// Names of classes, in the order of the images.
std::vector<std::string> predicted_classes(const std::string& csv) {
  std::vector<std::string> out;
  for (size_t at = csv.find('\n') + 1; at < csv.size(); at = csv.find('\n', at) + 1) {
    const size_t begin = csv.find(',', csv.find(',', at) + 1) + 1;
    out.push_back(csv.substr(begin, csv.find(',', begin) - begin));
  }
  return out;
}

TEST_F(ExportCommandTest, OnnxComputesWhatEvalComputes) {
  const char* named = std::getenv("SIGNSTEP_ONNX_PYTHON");
  const std::string reader = named != nullptr ? named : python();
  if (std::system(fmt::format("'{}' -c 'import onnx' > /dev/null 2>&1", reader).c_str()) != 0)
    GTEST_SKIP() << "Python's onnx is missing, so exported networks were NOT read by it; install python3-onnx";
  bool computed = true;
  for (const std::string network : {"resnet18", "resnet20"}) {
    train(network, {"--network", network});
    run(0, {"export", path(network), "--to", "onnx", "--output", path("n.onnx"), "--replace"});
    const auto ours = nlohmann::json::parse(run(0, {"eval", path(network), "--predictions", path("p.csv"), "--json"}));
    const PythonResult theirs =
        run_python(SIGNSTEP_CHECK_ONNX, {path("n.onnx"), path("data/test_batch.bin")}, path(""), reader);
    ASSERT_EQ(theirs.status, 0) << theirs.errors;
    const auto seen = nlohmann::json::parse(theirs.output);
    EXPECT_EQ(seen["classes"], 10);
    EXPECT_EQ(seen["metadata"]["network"], network);
    EXPECT_EQ(seen["input"], nlohmann::json({"N", 3, 32, 32}));
    EXPECT_EQ(seen["operators"].dump().find("Pad") != std::string::npos, network == "resnet20");
    computed = computed && !seen["runtime"].is_null();
    if (seen["runtime"].is_null()) continue;
    std::vector<std::string> names;
    for (const auto& label : seen["predicted"])
      names.push_back(find_dataset("cifar10").labels[0].names.at(label.get<size_t>()));
    EXPECT_EQ(names, predicted_classes(read_text_file(path("p.csv"))));
    EXPECT_NEAR(seen["loss"].get<double>(), ours["loss"].get<double>(), 1e-4 * ours["loss"].get<double>());
  }
  if (!computed)
    GTEST_SKIP() << "exported networks were read by ONNX's checker and NOT computed; install onnxruntime from PyPI and "
                    "name its Python in SIGNSTEP_ONNX_PYTHON";
}

// Images of 28 x 28 pixels are framed before they are normalised; who is not told gets another accuracy.
TEST_F(ExportCommandTest, WhatIsDoneToImagesIsSaid) {
  write_idx_fixture(path("mnist"), 50, 20, 1);
  train("run");
  train("framed", {"--dataset", "mnist", "--data", path("mnist"), "--no-flip"});
  for (const auto& [name, side, padding] : {std::tuple("run", "32", "0"), {"framed", "28", "2"}}) {
    run(0, {"export", path(name), "--to", "safetensors"});
    const Metadata about = SafetensorsFile(path(fmt::format("{}/export/network.safetensors", name))).metadata();
    EXPECT_EQ(about.at("image_side"), side);
    EXPECT_EQ(about.at("padding"), padding);
  }
}

TEST_F(ExportCommandTest, InitTakesAnExportedNetworkBack) {
  train("run");
  run(0, {"export", path("run"), "--to", "safetensors", "--output", path("n.safetensors")});
  const SafetensorsFile network(path("n.safetensors"));
  EXPECT_NE(network.find("bn1.num_batches_tracked"), nullptr);
  EXPECT_EQ(network.find("optimizer.m.conv1.weight"), nullptr);
  EXPECT_EQ(network.metadata().at("width"), "4");
  EXPECT_EQ(network.metadata().at("steps"), "4");
  // A step so small leaves the weights as they were.
  train("again", {"--init", path("n.safetensors"), "--learning-rate", "1e-30", "--batch", "100"});
  run(0, {"export", path("again"), "--to", "safetensors", "--output", path("back.safetensors")});
  const SafetensorsFile back(path("back.safetensors"));
  for (const TensorEntry& t : network.tensors()) {
    if (t.name.find("running_") != std::string::npos || t.dtype == "I64") continue;
    const TensorEntry* same = back.find(t.name);
    ASSERT_NE(same, nullptr) << t.name;
    const auto values = [](const TensorEntry& of) { return reinterpret_cast<const float*>(of.bytes.data()); };
    for (size_t i = 0; i < t.bytes.size() / sizeof(float); ++i)
      ASSERT_NEAR(values(t)[i], values(*same)[i], 2e-30) << t.name;
  }
}

TEST_F(ExportCommandTest, WhatCannotBeDoneIsSaid) {
  train("run");
  EXPECT_THAT(run(2, {"export", path("run"), "--to", "onyx"}), HasSubstr("wanted one of safetensors, pt, onnx"));
  EXPECT_THAT(run(2, {"export", path("data"), "--to", "csv"}), HasSubstr("holds no run"));
  EXPECT_THAT(run(4, {"export", path("data"), "--to", "pt"}), HasSubstr("checkpoint"));
  for (const std::string command : {"export", "eval"})
    EXPECT_THAT(run(5, command == "eval" ? std::vector<std::string>{command, path("gone")}
                                         : std::vector<std::string>{command, path("gone"), "--to", "pt"}),
                HasSubstr(path("gone") + " does not exist"));
  EXPECT_FALSE(path_exists(path("data/export")));
  EXPECT_THAT(run(2, {"export", path("run"), "--to", "pt", "--output", path("data")}), HasSubstr("is a folder"));
  write_file_atomic(path("there"), "mine");
  EXPECT_THAT(run(2, {"export", path("run"), "--to", "csv", "--output", path("there")}), HasSubstr("--replace"));
  EXPECT_EQ(read_text_file(path("there")), "mine");
  run(0, {"export", path("run"), "--to", "csv", "--output", path("there"), "--replace"});
  EXPECT_THAT(read_text_file(path("there")), testing::StartsWith("epoch,step,"));
}

TEST_F(ExportCommandTest, TensorBoardWhileTrainingAndAfterAResume) {
  if (!python_has("json")) GTEST_SKIP() << "Python is missing, so event files were NOT read back; install python3";
  train("plain", {"--epochs", "2"});
  train("run", {"--epochs", "2", "--tensorboard"});
  const auto all = events(path("run/tensorboard"));
  ASSERT_EQ(all.size(), 2u + 2 * 5);  // header, restart; four points and the epoch's figures, twice
  EXPECT_EQ(all.back()["step"], 8);
  run(0, {"export", path("run"), "--to", "tensorboard", "--output", path("logs")});
  const auto exported = events(path("logs"));
  ASSERT_EQ(exported.size(), all.size() - 1);
  for (size_t i = 1; i < exported.size(); ++i) EXPECT_EQ(exported[i], all[i + 1]) << i;
  // The last epoch is lost and taken again: each of its points is there once.
  std::filesystem::remove(path("run/checkpoints/step-00000008.safetensors"));
  run(0, {"train", "--resume", "--output", path("run"), "--tensorboard"});
  const auto again = events(path("run/tensorboard"));
  ASSERT_EQ(again.size(), all.size());
  EXPECT_EQ(again[1]["session"], 1);
  EXPECT_EQ(again.back()["values"]["epoch/test_loss"], all.back()["values"]["epoch/test_loss"]);
  EXPECT_EQ(read_text_file(path("run/config.toml")).find("tensorboard"), std::string::npos);
}

}  // namespace
}  // namespace signstep
