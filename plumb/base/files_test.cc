#include "plumb/base/files.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "plumb/base/atomic_file.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

fs::path scratch(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / "plumb_files_test";
  fs::create_directories(folder);
  return folder / name;
}

TEST(WriteFileAtomic, IsReadBackWhole) {
  const std::string bytes = std::string(200000, 'x') + '\0' + "end";
  ASSERT_TRUE(write_file_atomic(scratch("whole"), bytes));
  EXPECT_EQ(*read_file(scratch("whole")), bytes);
}

TEST(WriteFileAtomic, LeavesTheOldFileWhereItFails) {
  const fs::path folder = scratch("a folder");
  fs::create_directories(folder / "inside");
  const auto written = write_file_atomic(folder, "new");  // a folder cannot be replaced
  ASSERT_FALSE(written);
  EXPECT_TRUE(written.error().message.find(folder.string()) != std::string::npos);
  EXPECT_TRUE(fs::exists(folder / "inside"));
  std::size_t left = 0;
  for (const auto& entry : fs::directory_iterator(folder.parent_path())) {
    left += entry.path().filename().string().starts_with("a folder.") ? 1 : 0;
  }
  EXPECT_EQ(left, 0u);  // no temporary file stays
}

TEST(WriteFileAtomic, SaysWhichFolderIsMissing) {
  const auto written = write_file_atomic(scratch("missing") / "file", "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kNotFound);
}

TEST(ReadFile, NamesAFileThatIsNotThere) {
  const auto read = read_file(scratch("nothing"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(read.error().message.starts_with(scratch("nothing").string()));
}

TEST(ReadFileInto, ReusesTheBuffer) {
  ASSERT_TRUE(write_file_atomic(scratch("small"), "abc"));
  std::string buffer(100, '?');
  EXPECT_EQ(*read_file_into(scratch("small"), buffer), 3u);
  EXPECT_EQ(buffer.size(), 100u);
  EXPECT_TRUE(buffer.starts_with("abc?"));
}

TEST(FileError, TellsTheKindsApart) {
  EXPECT_EQ(file_error("read", "f", EACCES).kind, ErrorKind::kNotAllowed);
  EXPECT_EQ(file_error("write", "f", ENOSPC).kind, ErrorKind::kExhausted);
  EXPECT_EQ(file_error("read", "f", ENOENT).kind, ErrorKind::kNotFound);
  EXPECT_EQ(file_error("read", "f", EISDIR).kind, ErrorKind::kBadInput);
}

TEST(AtomicFile, AppearsWholeOrNotAtAll) {
  const fs::path folder = scratch("parts");
  fs::remove_all(folder);
  fs::create_directories(folder);
  const fs::path path = folder / "file";
  {
    auto file = AtomicFile::create(path);
    ASSERT_TRUE(file && file->write("one ") && file->write("two"));
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_TRUE(fs::is_empty(folder)) << "what was not committed is gone";
  auto file = AtomicFile::create(path);
  ASSERT_TRUE(file && file->write("three") && file->commit());
  EXPECT_EQ(*read_file(path), "three");
}

}  // namespace
}  // namespace plumb
