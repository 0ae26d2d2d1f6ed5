// SPDX-License-Identifier: Apache-2.0
#include "signstep/data/dataset.h"

#include "signstep/data/normalize.h"
#include "tests/data/fixtures.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Sets SIGNSTEP_DATA for a scope; nullptr unsets it.
class DataVariable {
 public:
  explicit DataVariable(const char* value) {
    if (const char* old = std::getenv("SIGNSTEP_DATA")) old_ = old;
    value ? setenv("SIGNSTEP_DATA", value, 1) : unsetenv("SIGNSTEP_DATA");
  }
  ~DataVariable() { old_.empty() ? unsetenv("SIGNSTEP_DATA") : setenv("SIGNSTEP_DATA", old_.c_str(), 1); }

 private:
  std::string old_;
};

std::string load_error(const std::string& name, const std::string& folder) {
  return message_of<DataError>([&] { load_dataset(name, folder); });
}

TEST(Catalog, NamesGoBothWays) {
  EXPECT_THAT(dataset_names(), ElementsAre("cifar10", "cifar100", "fashion-mnist", "mnist", "folder"));
  for (const std::string& name : dataset_names()) EXPECT_EQ(find_dataset(name).name, name);
  for (const DatasetSpec& spec : datasets())
    for (const LabelKind& kind : spec.labels) EXPECT_EQ(kind.names.size(), static_cast<size_t>(kind.classes));
  EXPECT_THAT(message_of<OptionError>([] { find_dataset("cifar-10"); }), HasSubstr("did you mean 'cifar10'?"));
}

TEST(Dataset, Cifar10KeepsFilesInOrder) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path(), 20, 1);
  const Dataset data = load_dataset("cifar10", folder.path());
  EXPECT_EQ(data.folder, folder.path());
  EXPECT_EQ(data.train.count(), 100u);
  EXPECT_EQ(data.test.pixels, fixture_images(3, 32, 10, 20, 6).pixels);
  EXPECT_EQ(data.train.classes, 10);
  const Bytes third = fixture_images(3, 32, 10, 20, 3).pixels;
  EXPECT_TRUE(std::equal(third.begin(), third.end(), data.train.pixels.begin() + 40 * 3072));
  ASSERT_EQ(data.files.size(), 6u);
  EXPECT_EQ(data.files[5].path, folder.path("test_batch.bin"));
  EXPECT_EQ(data.files[5].bytes, 20u * 3073);
  EXPECT_EQ(data.files[5].sha256.size(), 64u);
  EXPECT_FALSE(data.official());
}

TEST(Dataset, Cifar100HasFineAndCoarseLabels) {
  const TemporaryFolder folder;
  write_cifar100_fixture(folder.path("cifar-100-binary"), 200, 100, 1);
  const Dataset fine = load_dataset("cifar100", folder.path());
  const Dataset coarse = load_dataset("cifar100", folder.path(), "coarse");
  EXPECT_EQ(fine.folder, folder.path("cifar-100-binary"));
  EXPECT_EQ(fine.train.classes, 100);
  EXPECT_EQ(coarse.test.classes, 20);
  for (size_t i = 0; i < 200; ++i) EXPECT_EQ(coarse.train.labels[i], fine.train.labels[i] / 5);
  EXPECT_NE(fine.checksum(), coarse.checksum());
  EXPECT_FALSE(fine.official());
  EXPECT_THROW(load_dataset("cifar10", folder.path(), "coarse"), OptionError);
}

// As the tests of reading have them, unofficial sizes included.
TEST(Dataset, IsCountedByLengthsAndHeaders) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("cifar10"), 20, 1);
  write_cifar100_fixture(folder.path("cifar100"), 70, 30, 1);
  write_idx_fixture(folder.path("fashion-mnist"), 30, 20, 1);
  write_idx_fixture(folder.path("mnist"), 31, 21, 1, false);
  for (const std::string& name : dataset_names()) {
    if (find_dataset(name).folder_reader) continue;  // image_folder_test.cc
    const DatasetCounts counts = count_dataset(name, folder.path(name));
    const Dataset data = load_dataset(name, folder.path(name));
    EXPECT_EQ(counts.train, data.train.count()) << name;
    EXPECT_EQ(counts.test, data.test.count()) << name;
    EXPECT_EQ(counts.folder, data.folder);
    EXPECT_EQ(counts.height, data.train.height);
    EXPECT_EQ(counts.classes, data.train.classes);
  }
  // A packed file of two members, whose last record of a length is not the whole's.
  const Bytes labels = idx_bytes({20}, Bytes(20, 1)), end(labels.end() - 5, labels.end());
  Bytes members = gzip(Bytes(labels.begin(), labels.end() - 5)), last = gzip(end);
  members.insert(members.end(), last.begin(), last.end());
  write_bytes(folder.path("fashion-mnist/t10k-labels-idx1-ubyte.gz"), members);
  EXPECT_EQ(count_dataset("fashion-mnist", folder.path("fashion-mnist")).test, 20u);
  EXPECT_EQ(load_dataset("fashion-mnist", folder.path("fashion-mnist")).test.count(), 20u);
  Bytes record(3073, 255);  // a label that reading refuses
  write_bytes(folder.path("cifar10/test_batch.bin"), record);
  EXPECT_EQ(count_dataset("cifar10", folder.path("cifar10")).test, 1u);
  EXPECT_THAT(load_error("cifar10", folder.path("cifar10")), HasSubstr("label 255"));
}

TEST(Dataset, CountingRefusesOtherLengths) {
  const TemporaryFolder folder;
  const auto error = [](const std::string& name, const std::string& where) {
    return message_of<DataError>([&] { count_dataset(name, where); });
  };
  EXPECT_THAT(error("cifar10", folder.path()), HasSubstr("data set cifar10 not found"));
  EXPECT_THROW(count_dataset("cifar-10", folder.path()), OptionError);
  write_cifar10_fixture(folder.path("c"), 2, 1);
  std::filesystem::resize_file(folder.path("c/data_batch_2.bin"), 3074);
  EXPECT_THAT(error("cifar10", folder.path("c")), HasSubstr("data_batch_2.bin has 3074 bytes"));

  for (const bool packed : {true, false}) {
    const std::string idx = folder.path(packed ? "packed" : "raw"), end = packed ? ".gz" : "";
    const auto write = [&](const std::string& name, const Bytes& bytes) {
      write_bytes(idx + name + end, packed ? gzip(bytes) : bytes);
    };
    write_idx_fixture(idx, 3, 2, 1, packed);
    const std::string labels = idx + "/t10k-labels-idx1-ubyte" + end, images = idx + "/train-images-idx3-ubyte" + end;
    write("/t10k-labels-idx1-ubyte", idx_bytes({3}, {0, 1, 2}));
    EXPECT_THAT(error("mnist", idx), AllOf(HasSubstr(labels), HasSubstr("3 labels; wanted 2")));
    write("/train-images-idx3-ubyte", idx_bytes({1, 2, 2}, {1, 2, 3, 4}));
    EXPECT_THAT(error("mnist", idx), AllOf(HasSubstr(images), HasSubstr("2 x 2; wanted 28 x 28")));
    write("/train-images-idx3-ubyte", idx_bytes({2, 2, 2}, {1, 2, 3}));
    EXPECT_THAT(error("mnist", idx), AllOf(HasSubstr(images), HasSubstr("wants 24 bytes in all, the file has 19")));
    write("/train-images-idx3-ubyte", {0, 0, 8});
    EXPECT_THAT(error("mnist", idx), AllOf(HasSubstr(images), HasSubstr("wanted an IDX header")));
  }
}

TEST(Dataset, ChecksumDoesNotDependOnPacking) {
  const TemporaryFolder folder;
  write_idx_fixture(folder.path("a"), 30, 20, 1, true);
  write_idx_fixture(folder.path("b/FashionMNIST/raw"), 30, 20, 1, false);
  const Dataset packed = load_dataset("fashion-mnist", folder.path("a"));
  const Dataset raw = load_dataset("fashion-mnist", folder.path("b"));
  EXPECT_EQ(packed.train.count(), 30u);
  EXPECT_EQ(packed.test.count(), 20u);
  EXPECT_EQ(packed.train.pixels, fixture_images(1, 28, 10, 30, 1).pixels);
  EXPECT_EQ(packed.checksum(), raw.checksum());
  EXPECT_NE(packed.files[0].sha256, raw.files[0].sha256);
  write_idx_fixture(folder.path("c"), 30, 20, 2);
  EXPECT_NE(load_dataset("mnist", folder.path("c")).checksum(), raw.checksum());
}

TEST(Dataset, SearchesInTheDocumentedOrder) {
  const DataVariable variable("/from/variable");
  EXPECT_THAT(dataset_search_path(find_dataset("mnist"), "/given"),
              ElementsAre("/given", "/given/mnist", "/given/MNIST/raw"));
  EXPECT_THAT(dataset_search_path(find_dataset("cifar10"), ""),
              ElementsAre("/from/variable", "/from/variable/cifar-10-batches-bin", "/from/variable/cifar10", "data",
                          "data/cifar-10-batches-bin", "data/cifar10", "/usr/share/datasets",
                          "/usr/share/datasets/cifar-10-batches-bin", "/usr/share/datasets/cifar10"));
  const DataVariable unset(nullptr);
  EXPECT_THAT(dataset_search_path(find_dataset("fashion-mnist"), ""),
              ElementsAre("data", "data/fashion-mnist", "data/FashionMNIST/raw", "/usr/share/datasets",
                          "/usr/share/datasets/fashion-mnist", "/usr/share/datasets/FashionMNIST/raw"));
}

TEST(Dataset, TheOptionWinsAndTheVariableIsUsed) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("variable"), 1, 1);
  write_cifar10_fixture(folder.path("option"), 2, 1);
  const DataVariable variable(folder.path("variable").c_str());
  EXPECT_EQ(load_dataset("cifar10", folder.path("option")).train.count(), 10u);
  EXPECT_EQ(load_dataset("cifar10", "").train.count(), 5u);
  load_error("cifar10", folder.path("elsewhere"));  // and not the variable's
}

TEST(Dataset, NotFoundListsFoldersFilesAndAdvice) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path("cifar10"), 1, 1);
  std::filesystem::remove(folder.path("cifar10/data_batch_3.bin"));
  const std::string cifar = load_error("cifar10", folder.path());
  EXPECT_THAT(cifar, HasSubstr(folder.path() + ": without data_batch_1.bin, data_batch_2.bin"));
  EXPECT_THAT(cifar, HasSubstr(folder.path("cifar10") + ": without data_batch_3.bin\n"));
  EXPECT_THAT(cifar, HasSubstr(folder.path("cifar-10-batches-bin") + ": no such folder"));
  EXPECT_THAT(cifar, AllOf(HasSubstr("cifar-10-binary.tar.gz"), HasSubstr("docs/data.md"), Not(HasSubstr("/usr"))));
  EXPECT_THAT(load_error("cifar100", folder.path()), HasSubstr("cifar-100-binary.tar.gz"));
  EXPECT_THAT(load_error("fashion-mnist", folder.path()), HasSubstr("apt install dataset-fashion-mnist"));
  EXPECT_THAT(load_error("mnist", folder.path()), HasSubstr("train-images-idx3-ubyte"));
}

TEST(Dataset, DamageNamesTheFile) {
  const TemporaryFolder folder;
  write_cifar10_fixture(folder.path(), 2, 1);
  std::filesystem::resize_file(folder.path("data_batch_2.bin"), 3074);
  EXPECT_THAT(load_error("cifar10", folder.path()), HasSubstr("data_batch_2.bin has 3074 bytes"));

  const std::string labels = "/t10k-labels-idx1-ubyte.gz", images = "/t10k-images-idx3-ubyte.gz";
  const std::string idx = folder.path("idx");
  write_idx_fixture(idx, 3, 2, 1);
  write_bytes(idx + labels, gzip(idx_bytes({3}, {0, 1, 2})));
  EXPECT_THAT(load_error("mnist", idx), AllOf(HasSubstr(labels), HasSubstr("3 labels; wanted 2")));
  write_bytes(idx + labels, gzip(idx_bytes({2}, {0, 10})));
  EXPECT_THAT(load_error("mnist", idx), AllOf(HasSubstr(labels), HasSubstr("record 1 has label 10")));
  write_bytes(idx + labels, {0x1F, 0x8B, 8, 0, 1, 2, 3});
  EXPECT_THAT(load_error("mnist", idx), AllOf(HasSubstr(labels), HasSubstr("gzip")));
  write_bytes(idx + images, gzip(idx_bytes({1, 2, 2}, {1, 2, 3, 4})));
  EXPECT_THAT(load_error("mnist", idx), AllOf(HasSubstr(images), HasSubstr("2 x 2")));
}

}  // namespace
}  // namespace signstep
