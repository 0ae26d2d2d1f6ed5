// SPDX-License-Identifier: Apache-2.0
// Fetching from a web server on this machine, with interruptions, and from nowhere.
#include "signstep/fetch/fetch.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>

#include "signstep/base/subprocess.h"
#include "signstep/data/dataset.h"
#include "signstep/io/atomic_file.h"
#include "signstep/io/path.h"
#include "tests/fetch/archive.h"
#include "tests/support/python.h"

namespace signstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string md5_of(const Bytes& bytes) { return md5_hex(std::as_bytes(std::span(bytes))); }

class Notes final : public FetchObserver {
 public:
  void progress(const std::string&, uint64_t bytes, uint64_t total) override {
    last = bytes;
    EXPECT_TRUE(total == 0 || bytes <= total);
  }
  void note(const std::string& message) override { text += message + "\n"; }
  std::string text;
  uint64_t last = 0;
};

// Records like those of CIFAR-10 whose checksums are published in this test.
class FetchTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!python_has("http.server")) GTEST_SKIP() << "Python is missing, so nothing was FETCHED; install python3";
    std::vector<TarEntry> entries = {{"cifar-10-batches-bin/readme.html", {1}}};
    for (size_t i = 0; i < spec_.files.size(); ++i) {
      const Bytes bytes = cifar_bytes(fixture_images(3, 32, 10, 20, i), 1);
      spec_.files[i].checksum = md5_of(bytes);
      entries.push_back({"cifar-10-batches-bin/" + spec_.files[i].name, bytes});
    }
    archive_ = gzip(tar_bytes(entries));
    write_bytes(served_ + "/" + name_, archive_);
    server_ = std::make_unique<Subprocess>(std::vector<std::string>{python(), SIGNSTEP_TEST_SERVER, served_});
    address_ = "http://127.0.0.1:" + server_->read_line();
  }
  void TearDown() override {
    if (server_) server_->signal(SIGTERM);
  }
  std::vector<Source> source(const std::string& mode) const {
    return {{address_ + "/" + mode + "/" + name_, md5_of(archive_)}};
  }
  Fetched fetch(const std::vector<Source>& sources) { return fetch_dataset(spec_, sources, there_, notes_); }
  void expect_complete() const {
    EXPECT_THAT(names_in(target_), ElementsAre("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                               "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"));
    EXPECT_EQ(load_dataset("cifar10", there_).train.count(), 100u);
    EXPECT_FALSE(path_exists(work_));
  }

  TemporaryFolder folder_;
  DatasetSpec spec_ = find_dataset("cifar10");
  const std::string name_ = "cifar-10-binary.tar.gz", served_ = folder_.path("served"), there_ = folder_.path("data"),
                    target_ = there_ + "/cifar-10-batches-bin", work_ = there_ + "/.fetch-cifar10",
                    part_ = work_ + "/" + name_ + ".part";
  Bytes archive_;
  std::unique_ptr<Subprocess> server_;
  std::string address_;
  Notes notes_;
};

TEST_F(FetchTest, AnArchiveIsUnpackedAndChecked) {
  const Fetched first = fetch(source("plain"));
  EXPECT_EQ(first.folder, target_);
  EXPECT_FALSE(first.was_there);
  EXPECT_EQ(notes_.last, archive_.size());
  expect_complete();
  EXPECT_THAT(names_in(there_), ElementsAre("cifar-10-batches-bin"));
  EXPECT_TRUE(fetch({{"https://127.0.0.1:1/" + name_, ""}}).was_there);  // nobody is asked
}

TEST_F(FetchTest, TheFolderItselfMayHoldTheSet) {
  write_cifar10_fixture(there_, 20, 1);
  const Fetched found = fetch(source("plain"));
  EXPECT_TRUE(found.was_there);
  EXPECT_EQ(found.folder, there_);
  EXPECT_EQ(load_dataset("cifar10", there_).folder, there_) << "which is what the loader takes";
}

TEST_F(FetchTest, AnInterruptedDownloadGoesOnWhereItEnded) {
  const std::string message = message_of<EnvironmentError>([&] { fetch(source("cut")); });
  EXPECT_THAT(message, HasSubstr(fmt::format("the first {} bytes are kept, run this again", archive_.size() / 2)));
  EXPECT_THAT(message, HasSubstr("get cifar-10-binary.tar.gz in another way, put it into " + there_));
  EXPECT_EQ(read_file(part_).size(), archive_.size() / 2);
  EXPECT_FALSE(path_exists(target_));
  EXPECT_THROW(fetch(source("cut")), EnvironmentError);  // half of the rest
  EXPECT_EQ(server_->read_line(), "/cut/" + name_ + " -");
  EXPECT_EQ(server_->read_line(), fmt::format("/cut/{} bytes={}-", name_, archive_.size() / 2));
  const size_t kept = read_file(part_).size();
  EXPECT_GT(kept, archive_.size() / 2);
  fetch(source("plain"));
  EXPECT_EQ(server_->read_line(), fmt::format("/plain/{} bytes={}-", name_, kept));
  expect_complete();
}

TEST_F(FetchTest, AServerWithoutRangesSendsItAgain) {
  EXPECT_THROW(fetch(source("cut")), EnvironmentError);
  fetch(source("norange"));
  expect_complete();
}

TEST_F(FetchTest, ADownloadThatLacksOnlyItsRenaming) {
  write_bytes(part_, archive_);
  fetch(source("plain"));
  expect_complete();
}

TEST_F(FetchTest, AnotherFileIsRefusedAndNotKept) {
  write_bytes(part_, Bytes(100, 7));  // of something else: what follows does not fit it
  EXPECT_THAT(message_of<DataError>([&] { fetch(source("plain")); }), HasSubstr("wanted " + md5_of(archive_)));
  EXPECT_FALSE(path_exists(part_));
  EXPECT_FALSE(path_exists(target_));
  fetch(source("plain"));
  expect_complete();
}

TEST_F(FetchTest, AFileWithinTheArchiveThatIsNotTheOfficialOne) {
  spec_.files[3].checksum = "0";
  EXPECT_THAT(message_of<DataError>([&] { fetch(source("plain")); }),
              HasSubstr("data_batch_4.bin in " + work_ + "/" + name_ + " is not the official file"));
  EXPECT_FALSE(path_exists(target_));
}

TEST_F(FetchTest, AnArchivePutThereByHandNeedsNoNetwork) {
  const std::vector<Source> nowhere = {{"https://127.0.0.1:1/" + name_, md5_of(archive_)}};
  EXPECT_THAT(message_of<EnvironmentError>([&] { fetch(nowhere); }),
              HasSubstr("Without a network: get cifar-10-binary.tar.gz in another way, put it into " + there_));
  write_bytes(there_ + "/" + name_, Bytes(5, 1));
  EXPECT_THAT(message_of<DataError>([&] { fetch(nowhere); }), HasSubstr("get it again, or remove it"));
  write_bytes(there_ + "/" + name_, archive_);
  fetch(nowhere);
  EXPECT_EQ(read_file(there_ + "/" + name_), archive_);  // it stays
  expect_complete();
}

TEST_F(FetchTest, SingleFiles) {
  write_idx_fixture(served_, 20, 10, 1);
  std::vector<Source> sources;
  for (const DataFile& file : find_dataset("mnist").files)
    sources.push_back({address_ + "/plain/" + file.name + ".gz", md5_of(read_file(served_ + "/" + file.name + ".gz"))});
  EXPECT_EQ(fetch_dataset(find_dataset("mnist"), sources, there_, notes_).folder, there_ + "/mnist");
  EXPECT_EQ(load_dataset("mnist", there_).test.count(), 10u);
  sources.back().url = address_ + "/plain/none.gz";
  EXPECT_THAT(
      message_of<EnvironmentError>([&] { fetch_dataset(find_dataset("fashion-mnist"), sources, there_, notes_); }),
      HasSubstr("status 404. Without a network: get it and the files beside it in another way and put them "
                "into " +
                there_ + "/fashion-mnist"));
}

TEST_F(FetchTest, AFolderThatIsNotWholeIsLeftAlone) {
  write_bytes(target_ + "/data_batch_1.bin", {1});
  EXPECT_THAT(message_of<DataError>([&] { fetch(source("plain")); }), HasSubstr("move it away"));
  EXPECT_THAT(names_in(target_), ElementsAre("data_batch_1.bin"));
}

TEST_F(FetchTest, OnlySecureAddresses) {
  const std::string to = folder_.path("x");
  const DownloadProgress none = [](uint64_t, uint64_t) {};
  for (const std::string url : {"http://example.invalid/x", "ftp://127.0.0.1/x", "file:///etc/hostname",
                                "http://127.0.0.1.example.invalid/x", "http://127.0.0.1:1@localhost/x"})
    EXPECT_THAT(message_of<OptionError>([&] { download(url, to, none); }), HasSubstr("is no https address"));
  EXPECT_THROW(download(address_ + "/file", to, none), EnvironmentError);
  EXPECT_FALSE(path_exists(to));
  const std::string secure = "https" + address_.substr(4) + "/plain/" + name_;  // where nobody speaks TLS
  EXPECT_THAT(message_of<EnvironmentError>([&] { download(secure, to, none); }), HasSubstr("cannot get https"));
  EXPECT_FALSE(path_exists(to));
}

TEST(SourcesTest, AreOfKnownSetsAndSecure) {
  for (const std::string name : {"cifar10", "cifar100", "fashion-mnist", "mnist"}) {
    for (const Source& s : official_sources(name)) {
      EXPECT_TRUE(s.url.starts_with("https://"));
      EXPECT_EQ(s.md5.size(), 32u);
    }
    EXPECT_EQ(find_dataset(name).name, name);
  }
  EXPECT_THAT(message_of<OptionError>([] { official_sources("cifar-10"); }), HasSubstr("did you mean cifar10?"));
  EXPECT_EQ(mirrored(official_sources("cifar10"), "https://m/x").front().url, "https://m/x/cifar-10-binary.tar.gz");
}

}  // namespace
}  // namespace signstep
