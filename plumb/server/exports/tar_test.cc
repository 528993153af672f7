#include "plumb/server/exports/tar.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "plumb/base/files.h"
#include "plumb/study/testing.h"

namespace plumb::server {
namespace {

class Tar : public ::testing::Test {
 protected:
  study::Sink sink() {
    return [this](std::string_view bytes) {
      bytes_ += bytes;
      return Result<void>();
    };
  }
  std::string bytes_;
};

TEST_F(Tar, IsUnpackedByTheSystemsOwn) {
  const study::testing::Folder folder;
  const std::string deep = std::string(60, 'a') + "/" + std::string(60, 'b') + "/c.json";
  ASSERT_TRUE(append_tar_file(sink(), "one.jsonl", "hello\n"));
  ASSERT_TRUE(append_tar_file(sink(), deep, std::string(512, 'x')));
  ASSERT_TRUE(append_tar_file(sink(), "empty", ""));
  ASSERT_TRUE(append_tar_end(sink()));
  EXPECT_EQ(bytes_.size() % 512, 0U);
  std::ofstream(folder / "a.tar") << bytes_;
  const std::string at = (folder / "").string();
  ASSERT_EQ(std::system(fmt::format("tar -xf {0}a.tar -C {0}", at).c_str()), 0);
  EXPECT_EQ(*read_file(folder / "one.jsonl"), "hello\n");
  EXPECT_EQ(*read_file(folder / deep), std::string(512, 'x'));
  EXPECT_EQ(*read_file(folder / "empty"), "");
}

TEST_F(Tar, RefusesANameThatDoesNotFit) {
  EXPECT_EQ(append_tar_header(sink(), std::string(101, 'a'), 0).error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(append_tar_header(sink(), std::string(160, 'a') + "/b" + std::string(99, 'c'), 0)
                .error()
                .kind,
            ErrorKind::kBadInput);
}

TEST(SafeFileName, NeverLeavesItsFolder) {
  EXPECT_EQ(safe_file_name("pairs en"), "pairs_en");
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "_.._.._etc_passwd");
  EXPECT_EQ(safe_file_name(""), "_");
  EXPECT_EQ(safe_file_name("שם"), "שם");
}

}  // namespace
}  // namespace plumb::server
