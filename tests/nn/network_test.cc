// SPDX-License-Identifier: Apache-2.0
#include "signstep/nn/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "signstep/base/error.h"

namespace signstep {
namespace {

const TensorInfo& named(const std::vector<TensorInfo>& list, std::string_view name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const TensorInfo& t) { return t.name == name; });
  if (found == list.end()) throw std::runtime_error("no tensor " + std::string(name));
  return *found;
}

TEST(Network, HasTheStandardCounts) {
  const Network s = make_network({}, 3, 10);
  EXPECT_EQ(s.parameter_count(), 11'173'962u);
  EXPECT_EQ(s.parameters.size(), 62u);
  EXPECT_EQ(s.buffers.size(), 40u);
  EXPECT_EQ(make_network({}, 3, 100).parameter_count(), 11'173'962u + 90 * 513);
  EXPECT_TRUE(make_network({.width = 16, .norm = NormKind::kGroup}, 3, 10).buffers.empty());
}

// He et al. 2016, table 6, and what implementations count.
TEST(Network, TheCifarResNetsHaveTheirCounts) {
  const auto count = [](const char* name) { return make_network({.name = name}, 3, 10).parameter_count(); };
  EXPECT_EQ(count("resnet20"), 269'722u);
  EXPECT_EQ(count("resnet32"), 464'154u);
  EXPECT_EQ(count("resnet56"), 853'018u);
  const Network n = make_network({.name = "resnet20"}, 3, 10);
  EXPECT_EQ(n.options.width, 16);
  EXPECT_EQ(n.display_name, "ResNet-20");
  EXPECT_EQ(named(n.parameters, "layer3.2.conv2.weight").shape, (std::vector<int64_t>{64, 64, 3, 3}));
  EXPECT_EQ(named(n.parameters, "fc.weight").shape, (std::vector<int64_t>{10, 64}));
}

TEST(Network, AnUnknownNameIsRefused) {
  EXPECT_THROW(make_network({.name = "resnet19"}, 3, 10), OptionError);
  OptionList list;
  NetworkOptions o;
  describe(list, o);
  EXPECT_THROW(list.set("network", "resnet19"), OptionError);
  list.set("network", "resnet56");
  EXPECT_EQ(o.name, "resnet56");
}

TEST(Network, NamesAndShapesAreTorchvisions) {
  const Network s = make_network({}, 3, 10);
  EXPECT_EQ(named(s.parameters, "conv1.weight").shape, (std::vector<int64_t>{64, 3, 3, 3}));
  EXPECT_EQ(named(s.parameters, "layer2.0.downsample.0.weight").shape, (std::vector<int64_t>{128, 64, 1, 1}));
  EXPECT_EQ(named(s.parameters, "layer4.1.bn2.bias").shape, (std::vector<int64_t>{512}));
  EXPECT_EQ(named(s.parameters, "fc.weight").shape, (std::vector<int64_t>{10, 512}));
  EXPECT_EQ(named(s.buffers, "layer4.0.downsample.1.running_var").shape, (std::vector<int64_t>{512}));
}

TEST(Network, TensorsAreAlignedAndApart) {
  const Network s = make_network({.width = 12}, 1, 7);
  size_t end = 0;
  for (const TensorInfo& t : s.parameters) {
    EXPECT_EQ(t.offset % 64, 0u);
    EXPECT_GE(t.offset, end);
    EXPECT_LT(t.offset, end + 64);
    end = t.offset + t.size;
  }
  EXPECT_LE(end, s.parameter_elements);
}

TEST(Network, InitialValuesFollowTheSeedAndHaveTheirSpread) {
  const Network s = make_network({.width = 16}, 3, 10);
  std::vector<float> a(s.parameter_elements), b(a), other(a), buffers(s.buffer_elements);
  initialize(s, 1, a, buffers);
  initialize(s, 1, b, buffers);
  initialize(s, 2, other, buffers);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, other);
  const TensorInfo& conv = named(s.parameters, "layer4.1.conv2.weight");
  double square = 0;
  for (size_t i = 0; i < conv.size; ++i) square += std::pow(a[conv.offset + i], 2);
  EXPECT_NEAR(square / static_cast<double>(conv.size), 2.0 / (128 * 9), 0.05 * 2.0 / (128 * 9));
  const TensorInfo& gain = named(s.parameters, "bn1.weight");
  EXPECT_EQ(a[gain.offset], 1.0f);
  EXPECT_EQ(a[gain.offset + gain.size], 0.0f) << "gaps stay 0";
  EXPECT_EQ(buffers[named(s.buffers, "bn1.running_var").offset], 1.0f);
  EXPECT_EQ(buffers[named(s.buffers, "bn1.running_mean").offset], 0.0f);
}

TEST(Network, ConvolutionsLieWithTheirInputsInnermost) {
  const Network s = make_network({.width = 4}, 3, 10);
  const TensorInfo& conv = named(s.parameters, "conv1.weight");  // (4, 3, 3, 3)
  std::vector<float> flat(s.parameter_elements), values(conv.size);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  store_row_major(conv, values, flat);
  EXPECT_EQ(row_major(conv, flat), values);
  const size_t out = 2, in = 1, y = 0, x = 2;
  EXPECT_EQ(flat[conv.offset + ((out * 3 + y) * 3 + x) * 3 + in], values[((out * 3 + in) * 3 + y) * 3 + x]);
  const TensorInfo& fc = named(s.parameters, "fc.weight");
  std::vector<float> rows(fc.size);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i);
  store_row_major(fc, rows, flat);
  EXPECT_EQ(flat[fc.offset + 33], 33);
}

TEST(Network, GroupsDivideTheChannels) {
  for (int64_t channels = 1; channels <= 1024; ++channels) {
    ASSERT_EQ(channels % norm_groups(channels), 0);
    ASSERT_LE(norm_groups(channels), 32);
  }
  EXPECT_EQ(norm_groups(64), 32);
}

TEST(Network, AWidthThatDoesNotFitIsRefused) { EXPECT_THROW(make_network({.width = 6}, 3, 10), OptionError); }

}  // namespace
}  // namespace signstep
