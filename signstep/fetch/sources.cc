// SPDX-License-Identifier: Apache-2.0
#include "signstep/fetch/sources.h"

#include <map>

#include "signstep/base/error.h"
#include "signstep/base/option.h"

namespace signstep {
namespace {

const std::string kKrizhevsky = "https://www.cs.toronto.edu/~kriz/",
                  kZalando = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
                  kMnistMirror = "https://ossci-datasets.s3.amazonaws.com/mnist/";  // PyTorch's

const std::map<std::string, std::vector<Source>>& table() {
  static const std::map<std::string, std::vector<Source>> sources = {
      {"cifar10", {{kKrizhevsky + "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"}}},
      {"cifar100", {{kKrizhevsky + "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"}}},
      {"fashion-mnist",
       {{kZalando + "train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"},
        {kZalando + "train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"},
        {kZalando + "t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"},
        {kZalando + "t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"}}},
      {"mnist",
       {{kMnistMirror + "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"},
        {kMnistMirror + "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"},
        {kMnistMirror + "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"},
        {kMnistMirror + "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"}}},
  };
  return sources;
}

}  // namespace

std::vector<Source> official_sources(const std::string& dataset) {
  if (const auto found = table().find(dataset); found != table().end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, sources] : table()) names.push_back(name);
  const std::string near = nearest_name(dataset, names);
  throw OptionError(fmt::format("'{}' cannot be fetched; wanted one of {}{}", dataset, fmt::join(names, ", "),
                                near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

std::vector<Source> mirrored(std::vector<Source> sources, const std::string& address) {
  for (Source& source : sources)
    source.url = fmt::format("{}{}{}", address, address.ends_with('/') ? "" : "/", source.name());
  return sources;
}

}  // namespace signstep
