// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/amx/amx_engine.h"

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/engines/amx/network_plan.h"
#include "signstep/engines/amx/resnet.h"
#include "signstep/parallel/thread_pool.h"

namespace signstep {
namespace {

using amx::Context;
using amx::ResNet;

// What the network, not the processor, must be.
std::string network_obstacle(const Network& network) {
  if (!amx::plan_network(network))
    return fmt::format("{} is not a stem and residual blocks of two 3x3 convolutions", network.display_name);
  if (network.options.norm != NormKind::kBatch)
    return "the network has group norm, and this engine computes batch norm alone";
  if (network.options.width % 16 != 0) return fmt::format("width {} is no multiple of 16", network.options.width);
  if (network.input_channels > amx::kMaxInputChannels) {
    return fmt::format("images have {} channels, and this engine takes at most {}", network.input_channels,
                       amx::kMaxInputChannels);
  }
  return {};
}

class AmxEngine final : public Engine {
 public:
  AmxEngine(const Network& network, const amx::Kernels& kernels, size_t threads)
      : Engine(network),
        pool_(threads),
        values_(network.parameter_elements),
        gradients_(network.parameter_elements),
        buffers_(network.buffer_elements),
        network_(network),
        context_{
            .kernels = kernels, .executor = pool_, .values = values_, .gradients = gradients_, .buffers = buffers_} {}

  std::span<float> values() override { return values_; }
  std::span<float> gradients() override { return gradients_; }
  std::span<float> buffers() override { return buffers_; }
  Executor& executor() override { return pool_; }
  std::string description() const override {
    return fmt::format("{}, cpu, bf16, {} threads", context_.kernels.name, pool_.threads());
  }

  BatchResult forward_backward(const Batch& batch) override {
    network_.pack(context_);
    const BatchResult sum = network_.forward(context_, batch, 0, batch.count, true);
    network_.backward(context_, batch);
    return mean(sum, batch.count);
  }

  BatchResult evaluate(const Batch& batch, std::span<float> probabilities) override {
    network_.pack(context_);
    BatchResult sum;
    // Always in the same pieces: the sum of the losses has the same bits whatever was trained before.
    constexpr size_t kPiece = 128;
    for (size_t first = 0; first < batch.count; first += kPiece) {
      const BatchResult part = network_.forward(context_, batch, first, std::min(kPiece, batch.count - first), false);
      if (!probabilities.empty()) {
        const std::span<const float> rows = network_.probabilities();
        std::copy(rows.begin(), rows.end(), probabilities.begin() + static_cast<std::ptrdiff_t>(first * classes()));
      }
      sum.loss += part.loss;
      sum.correct += part.correct;
    }
    return mean(sum, batch.count);
  }

 private:
  size_t classes() const { return static_cast<size_t>(network().classes); }
  static BatchResult mean(BatchResult sum, size_t count) {
    sum.loss /= static_cast<double>(count);
    return sum;
  }

  ThreadPool pool_;
  std::vector<float> values_, gradients_, buffers_;
  ResNet network_;
  Context context_;
};

// Null where this processor has no such unit.
const amx::Kernels* kernels_of(ProductUnit unit) {
  switch (unit) {
    case ProductUnit::kMatrix: return amx::amx_kernels();
    case ProductUnit::kVector: return amx::avx512_kernels();
    case ProductUnit::kReference: return &amx::reference_kernels();
  }
  return nullptr;
}

const char* name_of(ProductUnit unit) { return unit == ProductUnit::kVector ? "avx512" : "amx"; }

}  // namespace

std::string amx_engine_obstacle(const Network& network, ProductUnit unit) {
  if (const std::string obstacle = network_obstacle(network); !obstacle.empty()) return obstacle;
  if (kernels_of(unit) != nullptr) return {};
  return fmt::format("this processor ({}) has no {}", cpu_features().model,
                     unit == ProductUnit::kMatrix ? "bf16 matrix units" : "AVX-512");
}

std::unique_ptr<Engine> make_amx_engine(const Network& network, const AmxEngineOptions& options) {
  if (const std::string obstacle = amx_engine_obstacle(network, options.unit); !obstacle.empty())
    throw OptionError(fmt::format("engine is {}, and {}; use --engine torch", name_of(options.unit), obstacle));
  const auto threads = static_cast<size_t>(options.threads > 0 ? options.threads : cpu_features().threads);
  return std::make_unique<AmxEngine>(network, *kernels_of(options.unit), threads);
}

EngineRecord amx_engine(ProductUnit unit) {
  return {.name = name_of(unit),
          .about = [] { return std::string(); },
          .obstacle = [unit](const EngineOptions& o, const Network& network) -> std::string {
            if (o.device == Device::kCuda) return "device is cuda";
            if (o.precision == Precision::kFp32) return "precision is fp32, and this engine multiplies bf16";
            return amx_engine_obstacle(network, unit);
          },
          .precision = [](const EngineOptions&, const Network&) { return Precision::kBf16; },
          .make =
              [unit](const EngineOptions& o, const Network& network) {
                return make_amx_engine(network, {.threads = o.threads, .unit = unit});
              }};
}

}  // namespace signstep
