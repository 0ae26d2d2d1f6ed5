// SPDX-License-Identifier: Apache-2.0
// What torch.save writes of a state_dict: a zip archive of one pickle (protocol 2), which says how the tensors are made
// of the storages that lie beside it. Of pickle's operations only those are used that torch.load(weights_only=True)
// allows. Source: PyTorch, torch/serialization.py and torch/_weights_only_unpickler.py; Python, Lib/pickletools.py.
#include <cstring>
#include <limits>

#include "signstep/base/error.h"
#include "signstep/export/formats/formats.h"
#include "signstep/export/zip_stored.h"
#include "signstep/io/atomic_file.h"

namespace signstep {
namespace {

constexpr const char* kFolder = "network/";  // torch takes whatever folder the archive has

class Pickle {
 public:
  Pickle() { out_ = "\x80\x02"; }

  void global(const char* module, const char* name) { out_ += fmt::format("c{}\n{}\n", module, name); }
  void mark() { out_ += '('; }
  void tuple() { out_ += 't'; }  // of everything since the mark
  void call() { out_ += 'R'; }   // of the callable and the tuple on the stack
  void empty_tuple() { out_ += ')'; }
  void no() { out_ += "\x89"; }
  void persistent_id() { out_ += 'Q'; }
  void set_items() { out_ += 'u'; }  // pairs since the mark, into the dictionary below it
  void text(const std::string& s) {
    out_ += 'X';
    little_endian(s.size(), 4);
    out_ += s;
  }
  void integer(int64_t value) {
    const bool small = value <= std::numeric_limits<int32_t>::max();
    out_ += small ? "J" : "\x8a\x08";
    little_endian(static_cast<uint64_t>(value), small ? 4 : 8);
  }
  std::string finish() { return out_ + '.'; }

 private:
  void little_endian(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_ += static_cast<char>(value >> 8 * i & 0xff);
  }
  std::string out_;
};

void put_tuple(Pickle& p, const std::vector<int64_t>& values) {
  p.mark();
  for (const int64_t value : values) p.integer(value);
  p.tuple();
}

std::vector<int64_t> strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> out(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) out[i - 1] = out[i] * shape[i];
  return out;
}

void put_ordered_dict(Pickle& p) {
  p.global("collections", "OrderedDict");
  p.empty_tuple();
  p.call();
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
void put_tensor(Pickle& p, const TensorEntry& t, const std::string& key) {
  const bool integers = t.dtype == "I64";
  p.global("torch._utils", "_rebuild_tensor_v2");
  p.mark();
  p.mark();
  p.text("storage");
  p.global("torch", integers ? "LongStorage" : "FloatStorage");
  p.text(key);
  p.text("cpu");
  p.integer(static_cast<int64_t>(t.bytes.size() / (integers ? sizeof(int64_t) : sizeof(float))));
  p.tuple();
  p.persistent_id();
  p.integer(0);
  put_tuple(p, t.shape);
  put_tuple(p, strides(t.shape));
  p.no();
  put_ordered_dict(p);
  p.tuple();
  p.call();
}

std::vector<std::string> write(const TrainedNetwork& network, const std::string& path) {
  Pickle pickle;
  put_ordered_dict(pickle);
  pickle.mark();
  for (size_t i = 0; i < network.tensors.size(); ++i) {
    pickle.text(network.tensors[i].name);
    put_tensor(pickle, network.tensors[i], std::to_string(i));
  }
  pickle.set_items();
  const std::string description = pickle.finish(), version = "3\n";
  ZipStored archive;
  archive.add(std::string(kFolder) + "data.pkl", std::as_bytes(std::span(description)));
  for (size_t i = 0; i < network.tensors.size(); ++i)
    archive.add(fmt::format("{}data/{}", kFolder, i), network.tensors[i].bytes);
  archive.add(std::string(kFolder) + "version", std::as_bytes(std::span(version)));
  write_file_atomic(path, archive.parts());
  return {path};
}

}  // namespace

ExportFormat pt_format() {
  return {.name = "pt",
          .help = "the same as torch.save writes a state_dict, for torch.load(FILE, weights_only=True)",
          .file = "network.pt",
          .network = write};
}

}  // namespace signstep
