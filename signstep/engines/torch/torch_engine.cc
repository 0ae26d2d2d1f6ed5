// SPDX-License-Identifier: Apache-2.0
#include "signstep/engines/torch/torch_engine.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/torch.h>
#include <torch/version.h>

#include "signstep/base/cpu.h"
#include "signstep/base/error.h"
#include "signstep/engines/torch/autocast.h"
#include "signstep/engines/torch/device_images.h"
#include "signstep/engines/torch/flat_pair.h"
#include "signstep/engines/torch/recorded_step.h"
#include "signstep/engines/torch/torch_network.h"
#include "signstep/libtorch/cuda_stream.h"
#include "signstep/libtorch/torch_executor.h"

namespace signstep {
namespace {

// Views of a flat tensor, one per entry of the list. A convolution's storage order is LibTorch's channels-last.
std::vector<at::Tensor> views(const at::Tensor& flat, const std::vector<TensorInfo>& list) {
  std::vector<at::Tensor> out;
  for (const TensorInfo& t : list) {
    const at::Tensor piece = flat.narrow(0, static_cast<int64_t>(t.offset), static_cast<int64_t>(t.size));
    const auto& s = t.shape;
    out.push_back(s.size() == 4 ? piece.view({s[0], s[2], s[3], s[1]}).permute({0, 3, 1, 2}) : piece.view(s));
  }
  return out;
}

[[noreturn]] void throw_out_of_memory(const std::string& said) {
  throw EnvironmentError(
      fmt::format("out of memory: {}; lower --batch, --width or --threads, or raise the limit (ulimit -v, or the batch "
                  "system's)",
                  said));
}

// The ways of LibTorch and its libraries to say that memory is out, as the program's own kind of error.
template <class F>
auto within_memory(F&& work) {
  try {
    return work();
  } catch (const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    if (text.find("allocate") == std::string::npos && text.find("out of memory") == std::string::npos) throw;
    throw_out_of_memory(text.substr(0, text.find('\n')));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    // oneDNN's error, of a type that LibTorch's headers lack: "could not create a primitive" is all that it says where
    // it gets no memory for its code.
    const std::string text = e.what();
    if (!text.starts_with("could not ")) throw;
    throw_out_of_memory("oneDNN " + text);
  }
}

class TorchEngine final : public Engine {
 public:
  TorchEngine(const Network& network, const EngineOptions& options, bool apart)
      : Engine(network),
        device_(options.device == Device::kCuda ? at::kCUDA : at::kCPU),
        apart_(apart || device_.is_cuda()),
        bf16_(resolved_precision(options, network.options.width) == Precision::kBf16),
        raw_images_(device_),
        values_(network.parameter_elements, device_, apart_),
        renders_(apart_ && has_kernels(device_number(values_.read()))),
        gradients_(network.parameter_elements, device_, apart_),
        buffers_(network.buffer_elements, device_, apart_),
        gradient_views_(views(gradients_.read(), network.parameters)),
        network_(network, leaves(views(values_.read(), network.parameters)), views(buffers_.read(), network.buffers)) {}

  std::span<float> values() override { return values_.host(); }
  std::span<float> gradients() override { return gradients_.host(); }
  std::span<float> buffers() override { return buffers_.host(); }

  // LibTorch queues its work on CUDA's default stream, as nobody here tells it otherwise.
  std::optional<DeviceTensors> on_device() override {
    if (!apart_) return std::nullopt;
    const at::Tensor &values = values_.read(), &gradients = gradients_.read();
    values_.write();
    return DeviceTensors{.device = device_number(values),
                         .stream = nullptr,
                         .values = values.data_ptr<float>(),
                         .gradients = gradients.data_ptr<float>()};
  }

  Executor& executor() override { return executor_; }

  bool renders() const override { return renders_; }

  std::string description() const override {
    return fmt::format("torch {}, {}, {}, {} threads", TORCH_VERSION, device_.str(), bf16_ ? "bf16" : "fp32",
                       at::get_num_threads());
  }

  BatchResult forward_backward(const Batch& batch) override {
    return within_memory([&] { return gradients_of(batch); });
  }

  BatchResult evaluate(const Batch& batch, std::span<float> probabilities) override {
    return within_memory([&] { return measured(batch, probabilities); });
  }

 private:
  BatchResult gradients_of(const Batch& batch) {
    values_.read();
    buffers_.read();
    const at::Tensor images = images_of(batch), labels = labels_of(batch);
    const at::Tensor measures = apart_ ? repeated(images, labels) : write_gradients(images, labels);
    gradients_.write();
    buffers_.write();
    return result_of(measures);
  }

  // Returns what result_of reads.
  at::Tensor write_gradients(const at::Tensor& images, const at::Tensor& labels) {
    at::Tensor logits;
    {
      const Autocast autocast(bf16_, device_.is_cuda());
      logits = network_.forward(images, true).to(at::kFloat);
    }
    const at::Tensor loss = at::cross_entropy_loss(logits, labels);
    const std::vector<at::Tensor> grads = torch::autograd::grad({loss}, network_.parameters());
    for (size_t i = 0; i < grads.size(); ++i) gradient_views_[i].copy_(grads[i]);
    return measures_of(loss, logits, labels);
  }

  // As write_gradients(). The first size of batches that comes often enough is recorded; a batch of another size, such
  // as an epoch's last, is computed by itself.
  at::Tensor repeated(const at::Tensor& images, const at::Tensor& labels) {
    const bool fits = step_ != nullptr && step_->images.sizes() == images.sizes();
    if (!fits && step_ != nullptr && step_->work.recorded()) return write_gradients(images, labels);
    if (!fits) step_ = std::make_unique<Repeated>(*this, images, labels);
    step_->images.copy_(images);
    step_->labels.copy_(labels);
    step_->work.run();
    return step_->measures;
  }

  BatchResult measured(const Batch& batch, std::span<float> probabilities) {
    const at::NoGradGuard no_grad;
    values_.read();
    buffers_.read();
    const at::Tensor labels = labels_of(batch);
    const Autocast autocast(bf16_, device_.is_cuda());
    const at::Tensor logits = network_.forward(images_of(batch), false).to(at::kFloat);
    if (!probabilities.empty()) {
      const at::Tensor p = logits.softmax(1).to(at::kCPU).to(at::kFloat).contiguous();
      std::copy_n(p.data_ptr<float>(), probabilities.size(), probabilities.begin());
    }
    return result_of(measures_of(at::cross_entropy_loss(logits, labels), logits, labels));
  }

  static std::vector<at::Tensor> leaves(std::vector<at::Tensor> tensors) {
    for (at::Tensor& t : tensors) t = t.detach().requires_grad_(true);
    return tensors;
  }

  // A batch of images lies in channels-last order already, so the tensor is a view of it.
  at::Tensor images_of(const Batch& b) {
    if (b.is_raw()) return raw_images_.of(b);
    const int64_t n = static_cast<int64_t>(b.count), h = b.height, w = b.width, c = b.channels;
    return at::from_blob(const_cast<float*>(b.images.data()), {n, c, h, w}, {h * w * c, 1, w * c, c}).to(device_);
  }
  at::Tensor labels_of(const Batch& b) const {
    return at::from_blob(const_cast<int64_t*>(b.labels.data()), {static_cast<int64_t>(b.count)}, at::kLong).to(device_);
  }

  // The loss and how many are correct, in one tensor, which costs one wait for the device.
  static at::Tensor measures_of(const at::Tensor& loss, const at::Tensor& logits, const at::Tensor& labels) {
    return at::stack({loss.detach().to(at::kDouble), logits.argmax(1).eq(labels).sum().to(at::kDouble)});
  }
  static BatchResult result_of(const at::Tensor& measures) {
    const at::Tensor here = measures.to(at::kCPU);
    const double* m = here.data_ptr<double>();
    return {m[0], static_cast<size_t>(m[1])};
  }

  // A step over tensors of its own, which stay where they are.
  struct Repeated {
    Repeated(TorchEngine& engine, const at::Tensor& like, const at::Tensor& like_labels)
        : images(at::empty_like(like)),
          labels(at::empty_like(like_labels)),
          measures(at::empty({2}, at::TensorOptions(like.device()).dtype(at::kDouble))),
          work(like.device(), [this, &engine] { measures.copy_(engine.write_gradients(images, labels)); }) {}
    Repeated(const Repeated&) = delete;
    Repeated& operator=(const Repeated&) = delete;

    at::Tensor images, labels, measures;
    RecordedStep work;
  };

  at::Device device_;
  bool apart_, bf16_;
  DeviceImages raw_images_;
  FlatPair values_;
  bool renders_;
  FlatPair gradients_, buffers_;
  std::vector<at::Tensor> gradient_views_;
  TorchNetwork network_;
  std::unique_ptr<Repeated> step_;
  TorchExecutor executor_;
};

}  // namespace

bool libtorch_has_cuda() { return torch::cuda::is_available(); }

namespace {

// From compute capability 8.0 on: before it, convolutions in bf16 go without cuDNN.
bool cuda_multiplies_bf16() { return at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8(); }

// Of LibTorch's own convolutions, bf16 ones on a CPU write past their buffers for some channel counts.
bool takes_bf16(const EngineOptions& options, int64_t width) {
  return options.device == Device::kCuda || width % 16 == 0;
}

std::string torch_obstacle(const EngineOptions& options, int64_t width) {
  if (options.device == Device::kCuda && !libtorch_has_cuda()) {
    return fmt::format(
        "device is cuda, and the linked LibTorch {} sees no CUDA device (use --device cpu, or link a "
        "CUDA build of LibTorch)",
        TORCH_VERSION);
  }
  if (options.precision == Precision::kBf16 && !takes_bf16(options, width)) {
    return fmt::format(
        "precision is bf16 at width {}, and on a CPU it wants a multiple of 16 (use --precision fp32, or "
        "such a width)",
        width);
  }
  return {};
}

}  // namespace

Precision resolved_precision(const EngineOptions& options, int64_t width) {
  if (const std::string obstacle = torch_obstacle(options, width); !obstacle.empty()) throw OptionError(obstacle);
  const bool safe = takes_bf16(options, width);
  if (options.precision != Precision::kAuto) return options.precision;
  const CpuFeatures& cpu = cpu_features();
  const bool fast = options.device == Device::kCuda ? cuda_multiplies_bf16() : cpu.amx_bf16 || cpu.avx512_bf16;
  return fast && safe ? Precision::kBf16 : Precision::kFp32;
}

std::unique_ptr<Engine> make_torch_engine(const Network& network, const EngineOptions& options, bool apart) {
  at::globalContext().setDeterministicCuDNN(true);  // else its weight gradients differ from run to run
  at::globalContext().setAllowTF32CuDNN(false);     // else fp32 is not what was asked for
  at::globalContext().setAllowTF32CuBLAS(false);    // off by itself, unless an environment variable says otherwise
  at::set_num_threads(static_cast<int>(options.threads > 0 ? options.threads : cpu_features().threads));
  return within_memory([&] { return std::make_unique<TorchEngine>(network, options, apart); });
}

EngineRecord torch_engine(bool apart) {
  return {
      .name = "torch",
      .about =
          [] { return fmt::format("LibTorch {}{}", TORCH_VERSION, libtorch_has_cuda() ? " with CUDA" : ", CPU only"); },
      .obstacle = [](const EngineOptions& o,
                     const Network& network) { return torch_obstacle(o, network.options.width); },
      .precision = [](const EngineOptions& o,
                      const Network& network) { return resolved_precision(o, network.options.width); },
      .make = [apart](const EngineOptions& o, const Network& network) { return make_torch_engine(network, o, apart); },
      .sees_cuda = libtorch_has_cuda};
}

}  // namespace signstep
