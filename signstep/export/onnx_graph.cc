// SPDX-License-Identifier: Apache-2.0
#include "signstep/export/onnx_graph.h"

#include <algorithm>
#include <limits>

#include "signstep/base/error.h"
#include "signstep/base/version.h"
#include "signstep/export/protobuf.h"

namespace signstep {
namespace {

using namespace protobuf;

constexpr uint64_t kIrVersion = 7, kOperatorSet = 14, kFloat = 1, kInt64 = 7;  // TensorProto.DataType

// AttributeProto: 1 name, 2 f, 3 i, 8 ints, 20 type.
std::string number_attribute(const std::string& name, float value) {
  std::string out;
  bytes(out, 1, name);
  real32(out, 2, value);
  integer(out, 20, 1);
  return out;
}
std::string integer_attribute(const std::string& name, uint64_t value) {
  std::string out;
  bytes(out, 1, name);
  integer(out, 3, value);
  integer(out, 20, 2);
  return out;
}
std::string integers_attribute(const std::string& name, const std::vector<int64_t>& values) {
  std::string out;
  bytes(out, 1, name);
  for (const int64_t v : values) integer(out, 8, static_cast<uint64_t>(v));
  integer(out, 20, 7);
  return out;
}

// TensorProto: 1 dims, 2 data_type, 8 name, 9 raw_data (little-endian).
std::string tensor(const std::string& name, const std::vector<int64_t>& shape, uint64_t type, std::string_view raw) {
  std::string out;
  for (const int64_t n : shape) integer(out, 1, static_cast<uint64_t>(n));
  integer(out, 2, type);
  bytes(out, 8, name);
  bytes(out, 9, raw);
  return out;
}

// ValueInfoProto: 1 name, 2 type. TypeProto: 1 tensor_type. Tensor: 1 elem_type, 2 shape. Shape: 1 dim. Dimension:
// 1 dim_value, 2 dim_param.
struct Dimension {
  int64_t value = 0;
  std::string name = {};  // of a size that the user chooses
};
std::string float_value(const std::string& name, const std::vector<Dimension>& shape) {
  std::string dimensions, type, whole, out;
  for (const Dimension& d : shape) {
    std::string one;
    if (d.name.empty())
      integer(one, 1, static_cast<uint64_t>(d.value));
    else
      bytes(one, 2, d.name);
    bytes(dimensions, 1, one);
  }
  integer(type, 1, kFloat);
  bytes(type, 2, dimensions);
  bytes(whole, 1, type);
  bytes(out, 1, name);
  bytes(out, 2, whole);
  return out;
}

// GraphProto: 1 node, 2 name, 5 initializer, 11 input, 12 output. NodeProto: 1 input, 2 output, 4 op_type, 5 attribute.
class Graph {
 public:
  explicit Graph(const TrainedNetwork& network) : network_(network) {
    std::string x = "images", kept;
    bytes(out_, 2, "signstep");
    for (const Layer& layer : network.shape.layers) {
      if (layer.kind == Layer::Kind::kFork)
        kept = x;
      else if (layer.kind == Layer::Kind::kAdd)
        x = node("Add", {x, kept});
      else if (layer.shortcut)
        kept = computed(layer, kept);
      else
        x = computed(layer, x);
    }
    node("Identity", {x}, {}, "logits");
    const auto side = [&](const char* name) { return network.side ? Dimension{*network.side} : Dimension{0, name}; };
    bytes(out_, 11, float_value("images", {{0, "N"}, {network.shape.input_channels}, side("height"), side("width")}));
    bytes(out_, 12, float_value("logits", {{0, "N"}, {network.shape.classes}}));
  }
  const std::string& text() const { return out_; }

 private:
  // The name of what the layer makes of x. As engines/torch/torch_network computes it in evaluation.
  std::string computed(const Layer& l, const std::string& x) {
    switch (l.kind) {
      case Layer::Kind::kConv:
        return node("Conv", {x, given(l.name + ".weight", {l.out, l.in, l.kernel, l.kernel})},
                    {integers_attribute("kernel_shape", {l.kernel, l.kernel}),
                     integers_attribute("strides", {l.stride, l.stride}),
                     integers_attribute("pads", std::vector<int64_t>(4, l.kernel / 2))});
      case Layer::Kind::kNorm:
        return node("BatchNormalization",
                    {x, given(l.name + ".weight", {l.out}), given(l.name + ".bias", {l.out}),
                     given(l.name + ".running_mean", {l.out}), given(l.name + ".running_var", {l.out})},
                    {number_attribute("epsilon", 1e-5f)});
      case Layer::Kind::kRelu: return node("Relu", {x});
      case Layer::Kind::kPad: {
        // Rows and columns 0, stride, 2 stride, ...; then channels of zeros behind the others.
        const std::string some = node("Slice", {x, integers({0, 0}), integers({kWhole, kWhole}), integers({2, 3}),
                                                integers({l.stride, l.stride})});
        return node("Pad", {some, integers({0, 0, 0, 0, 0, l.out - l.in, 0, 0})});
      }
      case Layer::Kind::kMeanPool: return node("Flatten", {node("GlobalAveragePool", {x})});
      case Layer::Kind::kLinear:
        return node("Gemm", {x, given(l.name + ".weight", {l.out, l.in}), given(l.name + ".bias", {l.out})},
                    {integer_attribute("transB", 1)});
      case Layer::Kind::kFork:
      case Layer::Kind::kAdd: break;
    }
    return x;
  }

  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& attributes = {}, std::string result = "") {
    if (result.empty()) result = fmt::format("{}_{}", op, nodes_++);
    std::string one;
    for (const std::string& name : inputs) bytes(one, 1, name);
    bytes(one, 2, result);
    bytes(one, 4, op);
    for (const std::string& attribute : attributes) bytes(one, 5, attribute);
    bytes(out_, 1, one);
    return result;
  }

  // A trained tensor, once.
  std::string given(const std::string& name, const std::vector<int64_t>& shape) {
    const auto& all = network_.tensors;
    const auto at = std::find_if(all.begin(), all.end(), [&](const TensorEntry& t) { return t.name == name; });
    if (at == all.end() || at->shape != shape || at->dtype != "F32") {
      throw OptionError(fmt::format(
          "the weights have no {} of shape {} that {} has; ONNX is written of networks with batch norm, and of "
          "checkpoints of signstep: export pt or safetensors instead",
          name, fmt::join(shape, " x "), network_.shape.display_name));
    }
    bytes(out_, 5, tensor(name, shape, kFloat, {reinterpret_cast<const char*>(at->bytes.data()), at->bytes.size()}));
    return name;
  }

  std::string integers(const std::vector<int64_t>& values) {
    const std::string name = fmt::format("integers_{}", nodes_++);
    std::string raw;
    for (const int64_t v : values) fixed(raw, static_cast<uint64_t>(v), 8);
    bytes(out_, 5, tensor(name, {static_cast<int64_t>(values.size())}, kInt64, raw));
    return name;
  }

  static constexpr int64_t kWhole = std::numeric_limits<int64_t>::max();  // an end that the operator cuts
  const TrainedNetwork& network_;
  std::string out_;
  int nodes_ = 0;
};

}  // namespace

// ModelProto: 1 ir_version, 2 producer_name, 3 producer_version, 7 graph, 8 opset_import, 14 metadata_props.
std::string onnx_model(const TrainedNetwork& network) {
  std::string out, operators;
  integer(out, 1, kIrVersion);
  bytes(out, 2, "signstep");
  bytes(out, 3, version());
  bytes(out, 7, Graph(network).text());
  bytes(operators, 1, "");  // ONNX's own
  integer(operators, 2, kOperatorSet);
  bytes(out, 8, operators);
  for (const auto& [key, value] : network.about) {
    std::string entry;
    bytes(entry, 1, key);
    bytes(entry, 2, value);
    bytes(out, 14, entry);
  }
  return out;
}

}  // namespace signstep
