#include "plumb/text/lines.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace plumb {
namespace {

class Lines : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("plumb_lines_" + std::to_string(::getpid()) + "_" +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void write(std::string_view bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string gzipped(std::string_view bytes) {
    const gzFile file = gzopen(path_.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // All lines, or the error's message as the last one.
  std::vector<std::string> read() {
    std::vector<std::string> lines;
    auto reader = LineReader::open(path_);
    if (!reader) return {reader.error().message};
    while (true) {
      const auto line = reader->next();
      if (!line) lines.push_back(line.error().message);
      if (!line || !*line) return lines;
      lines.emplace_back(**line);
    }
  }

  std::filesystem::path path_;
};

using Texts = std::vector<std::string>;

TEST_F(Lines, EndWithLineFeedsCarriageReturnsOrTheFile) {
  write("\xef\xbb\xbfone\r\ntwo\n\nfour");
  EXPECT_EQ(read(), (Texts{"one", "two", "", "four"}));
  write("one\n");
  EXPECT_EQ(read(), (Texts{"one"}));
  write("");
  EXPECT_EQ(read(), Texts());
}

TEST_F(Lines, AreTheSameFromAGzipFile) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i * 7919) + "\n";
  gzipped(text);
  const Texts lines = read();
  ASSERT_EQ(lines.size(), 200000U);
  EXPECT_EQ(lines[199999], std::to_string(199999 * 7919));
}

TEST_F(Lines, OfAGzipFileThatIsCutShortEndInAnError) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string bytes = gzipped(text);
  for (const std::size_t size : {bytes.size() - 1, bytes.size() - 8, bytes.size() / 2}) {
    write(bytes.substr(0, size));
    EXPECT_NE(read().back().find("the gzip file is cut short"), std::string::npos) << size;
  }
}

TEST_F(Lines, OfADamagedGzipFileEndInAnError) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += std::to_string(i * 7919) + "\n";
  std::string bytes = gzipped(text);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
  write(bytes);
  EXPECT_NE(read().back().find("the gzip file is damaged"), std::string::npos) << read().back();
}

TEST_F(Lines, ThatAreNotUtf8AreNamed) {
  write("good\nb\xff\x64\n");
  EXPECT_EQ(read().back(),
            path_.string() + ":2: byte 2 of the line is not UTF-8; convert the file first");
}

TEST_F(Lines, OfAMissingFileAreAnError) {
  EXPECT_EQ(LineReader::open(path_).error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(LineReader::open("/tmp"));
}

TEST_F(Lines, ComeBackAsTheyWereJoined) {
  EXPECT_TRUE(rc::check([&] {
    const auto lines = *rc::gen::container<Texts>(
        rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~')));
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    write(text);
    RC_ASSERT(read() == lines);
  }));
}

// The table of RFC 3629, section 4.
TEST(FirstBadUtf8, KnowsLongFormsSurrogatesAndTheLastCodePoint) {
  EXPECT_FALSE(first_bad_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"));
  for (const std::string_view bad :
       {"a\xc0\xaf", "a\xe0\x9f\xbf", "a\xed\xa0\x80", "a\xf4\x90\x80\x80", "a\xf0\x8f\xbf\xbf",
        "a\xe2\x82", "a\x80", "a\xf5\x80\x80\x80", "a\xc3("}) {
    EXPECT_EQ(first_bad_utf8(bad), 1U);
  }
}

}  // namespace
}  // namespace plumb
