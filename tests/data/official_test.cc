// SPDX-License-Identifier: Apache-2.0
// The official data sets, where this machine has them: $SIGNSTEP_CIFAR10, $SIGNSTEP_CIFAR100 and $SIGNSTEP_MNIST name
// folders, Fashion-MNIST is Debian's package.
#include "signstep/data/dataset.h"
#include "signstep/data/normalize.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

std::string folder_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value ? value : "";
}

void expect_shape(const Dataset& data, size_t train, int classes) {
  EXPECT_EQ(data.train.count(), train);
  EXPECT_EQ(data.test.count(), 10000u);
  for (const ImageSet* set : {&data.train, &data.test}) {
    std::vector<size_t> counts(static_cast<size_t>(classes));
    for (uint8_t label : set->labels) ++counts[label];
    if (data.spec->name == "mnist") continue;  // the one whose classes are not equally frequent
    EXPECT_THAT(counts, testing::Each(set->count() / counts.size()));
  }
}

void expect_normalization(const Dataset& data) {
  const Normalization wanted = data.spec->normalization, measured = measure_normalization(data.train);
  ASSERT_EQ(measured.mean.size(), wanted.mean.size());
  for (size_t c = 0; c < wanted.mean.size(); ++c) {
    EXPECT_NEAR(measured.mean[c], wanted.mean[c], 1e-3);
    EXPECT_NEAR(measured.std[c], wanted.std[c], 1e-3);
  }
}

TEST(Official, Cifar10) {
  const std::string folder = folder_of("SIGNSTEP_CIFAR10");
  if (folder.empty()) GTEST_SKIP() << "set SIGNSTEP_CIFAR10 to a folder with the official binary files to run this";
  const Dataset data = load_dataset("cifar10", folder);
  EXPECT_TRUE(data.official());
  EXPECT_EQ(data.checksum(), "32e5966899bde482c0ef7d076bf69809b4b1488c806f657a814cfca4646ec493");
  expect_shape(data, 50000, 10);
  expect_normalization(data);
}

TEST(Official, Cifar100) {
  const std::string folder = folder_of("SIGNSTEP_CIFAR100");
  if (folder.empty()) GTEST_SKIP() << "set SIGNSTEP_CIFAR100 to a folder with the official binary files to run this";
  const Dataset data = load_dataset("cifar100", folder);
  EXPECT_TRUE(data.official());
  EXPECT_EQ(data.checksum(), "b41e29387b788506ced6a48cea527c65d6387e1598add60c84d6995abf0b21fa");
  expect_shape(data, 50000, 100);
  expect_normalization(data);
}

TEST(Official, FashionMnist) {
  const std::string folder = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "apt install dataset-fashion-mnist to run this";
  const Dataset data = load_dataset("fashion-mnist", folder);
  EXPECT_TRUE(data.official());
  EXPECT_EQ(data.checksum(), "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f");
  expect_shape(data, 60000, 10);
  expect_normalization(data);
  EXPECT_THAT(message_of<DataError>([&] { load_dataset("mnist", folder); }),
              testing::HasSubstr("train-images-idx3-ubyte of fashion-mnist; wanted mnist"));
}

TEST(Official, Mnist) {
  const std::string folder = folder_of("SIGNSTEP_MNIST");
  if (folder.empty()) GTEST_SKIP() << "set SIGNSTEP_MNIST to a folder with the official IDX files to run this";
  const Dataset data = load_dataset("mnist", folder);
  EXPECT_TRUE(data.official());
  expect_shape(data, 60000, 10);
  expect_normalization(data);
}

}  // namespace
}  // namespace signstep
