#include "plumb/text/byte_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>

#include "plumb/base/hash.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const std::string& name, std::string_view bytes) {
  const fs::path path = fs::path(testing::TempDir()) / fmt::format("{}_{}", ::getpid(), name);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return path;
}

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string gzip(std::string_view bytes) {
  const fs::path path = file_of("packing.gz", "");
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return contents(path);
}

// Long enough for several blocks, and hard to pack.
std::string numbers(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{}\n", i * 2654435761U % 1000003U);
  return text;
}

std::string all_lines(ByteReader& reader) {
  std::string text;
  while (true) {
    const auto line = reader.until('\n');
    EXPECT_TRUE(line) << line.error().message;
    if (!line || !*line) return text;
    text.append(**line).append("\n");
  }
}

TEST(ByteReader, GivesTheSameLinesPlainAndPacked) {
  const std::string text = numbers(200000);
  for (const std::string& bytes :
       {text, gzip(text), gzip(text.substr(0, 700000)) + gzip(text.substr(700000))}) {
    const fs::path path = file_of("lines", bytes);
    auto reader = ByteReader::open(path);
    ASSERT_TRUE(reader);
    EXPECT_EQ(all_lines(*reader), text);
    EXPECT_EQ(reader->offset(), text.size());
    EXPECT_EQ(reader->bytes_read(), bytes.size());
    EXPECT_EQ(reader->bytes_total(), bytes.size());
    EXPECT_EQ(*reader->sha256(), sha256(bytes));
  }
}

TEST(ByteReader, HashesWhatWasNotAskedFor) {
  const std::string text = numbers(200000);
  auto reader = ByteReader::open(file_of("hash", text));
  EXPECT_EQ(*reader->take(10), text.substr(0, 10));
  EXPECT_EQ(*reader->sha256(), sha256(text));
}

TEST(ByteReader, TakesBytesAndLinesInTurn) {
  auto reader = ByteReader::open(file_of("turn", std::string("2 3\nab\0\ncdend", 13)));
  EXPECT_EQ(**reader->until('\n'), "2 3");
  EXPECT_EQ(*reader->take(3), std::string_view("ab\0", 3));
  EXPECT_EQ(**reader->until('\n'), "");
  EXPECT_EQ(*reader->take(100), "cdend");
  EXPECT_EQ(*reader->take(1), "");
  EXPECT_FALSE(*reader->until('\n'));
}

TEST(ByteReader, NamesWhatIsWrong) {
  const std::string packed = gzip(numbers(100000));
  std::string damaged = packed;
  for (std::size_t i = 5000; i < 5100; ++i) damaged[i] = 'x';
  for (const auto& [bytes, what] : {std::pair{packed.substr(0, packed.size() / 2), "cut short"},
                                    {damaged, "damaged"},
                                    {packed.substr(0, packed.size() - 3), "cut short"},
                                    {packed.substr(0, 5), "cut short"}}) {
    auto reader = ByteReader::open(file_of("wrong.gz", bytes));
    ASSERT_TRUE(reader);
    Result<std::optional<std::string_view>> line = reader->until('\n');
    while (line && *line) line = reader->until('\n');
    ASSERT_FALSE(line) << what;
    EXPECT_EQ(line.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(line.error().message.find(what), std::string::npos) << line.error().message;
  }
}

TEST(ByteReader, StopsAtTheLimitOfALine) {
  auto reader = ByteReader::open(file_of("long", std::string(1 << 20, 'x')));
  const auto line = reader->until('\n', 1000);
  ASSERT_FALSE(line);
  EXPECT_EQ(line.error().kind, ErrorKind::kBadInput);
}

TEST(ByteReader, SaysThatThereIsNoFile) {
  const auto reader = ByteReader::open("no/such/file");
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(ByteReader::open(testing::TempDir()));
}

TEST(ByteReader, ReadsAnEmptyFile) {
  auto reader = ByteReader::open(file_of("empty", ""));
  EXPECT_FALSE(*reader->until('\n'));
  EXPECT_EQ(*reader->sha256(), sha256(""));
}

}  // namespace
}  // namespace plumb
