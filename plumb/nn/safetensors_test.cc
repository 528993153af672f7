#include "plumb/nn/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <bit>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>

#include "plumb/base/files.h"
#include "plumb/base/random.h"

namespace plumb::nn {
namespace {

namespace fs = std::filesystem;

class Safetensors : public testing::Test {
 protected:
  Safetensors()
      : folder_(fs::path(testing::TempDir()) /
                fmt::format("nn_{}_{}", ::getpid(),
                            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(folder_);
  }
  ~Safetensors() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, std::span<const Tensor> tensors) const {
    EXPECT_TRUE(write_safetensors(folder_ / name, tensors));
    return folder_ / name;
  }

  fs::path folder_;
};

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values(tensor.elements());
  EXPECT_TRUE(tensor.copy_to(values));
  return values;
}

TEST_F(Safetensors, AreReadAsTheyWereWritten) {
  const std::vector<float> a = {1, -2, 3.5F, 0, 1e-30F, 6}, b = {7}, none;
  const std::vector<Tensor> tensors = {tensor_of("z", {2, 3}, a), tensor_of("a.b", {}, b),
                                       tensor_of("empty", {0, 5}, none)};
  ASSERT_TRUE(write_safetensors(folder_ / "m.safetensors", tensors, {{"format", "pt"}}));
  const auto read = Checkpoint::open(folder_ / "m.safetensors");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->tensors().size(), 3U);
  EXPECT_EQ(read->tensors()[0].name, "a.b");
  EXPECT_EQ(values_of(*read->find("z")), a);
  EXPECT_EQ(values_of(*read->find("a.b")), b);
  EXPECT_EQ(read->find("empty")->shape, (Shape{0, 5}));
  EXPECT_EQ(read->metadata().at("format"), "pt");
  EXPECT_EQ(read->find("none"), nullptr);
}

TEST_F(Safetensors, AreTheSameBytesInAnyOrder) {
  const std::vector<float> a = {1, 2}, b = {3};
  const std::vector<Tensor> one = {tensor_of("a", {2}, a), tensor_of("b", {1}, b)};
  const std::vector<Tensor> other = {one[1], one[0]};
  EXPECT_EQ(*read_file(write("one", one)), *read_file(write("other", other)));
}

TEST_F(Safetensors, BeginTheirDataAtAMultipleOfEight) {
  for (const std::string name : {"a", "ab", "abc", "abcdefgh"}) {
    const std::vector<float> a = {1};
    const std::vector<Tensor> tensors = {tensor_of(name, {1}, a)};
    EXPECT_EQ((fs::file_size(write("m", tensors)) - 4) % 8, 0U);
  }
}

TEST_F(Safetensors, ReadWhatTheOriginalLibraryWrites) {
  // The bytes of the format's own example: an F32 matrix, offsets in another order than names.
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
      R"("a":{"dtype":"F16","shape":[1,3],"data_offsets":[4,10]}}  )";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  file += header + std::string("\x80\x3f\x00\xc0\x00\x3c\x01\x00\x00\xfc", 10);
  ASSERT_TRUE(write_file_atomic(folder_ / "m", file));
  const auto read = Checkpoint::open(folder_ / "m");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(values_of(*read->find("b")), (std::vector<float>{1, -2}));
  EXPECT_EQ(values_of(*read->find("a")),
            (std::vector<float>{1, 0x1p-24F, -std::numeric_limits<float>::infinity()}));
}

TEST_F(Safetensors, NameTheTensorWithAnElementThatIsNotFinite) {
  std::vector<float> a(10000, 1.0F);
  a[9999] = std::nanf("");
  const std::vector<Tensor> tensors = {tensor_of("layers.1.weight", {100, 100}, a)};
  const auto read = Checkpoint::open(write("m", tensors));
  const auto finite = read->find("layers.1.weight")->check_finite();
  ASSERT_FALSE(finite);
  EXPECT_NE(finite.error().message.find("tensor \"layers.1.weight\" of shape [100, 100] holds nan "
                                        "at element 9999"),
            std::string::npos)
      << finite.error().message;
}

TEST_F(Safetensors, RefuseToReadIntegersAsFloats) {
  const std::array<std::byte, 8> bytes{};
  const std::vector<Tensor> tensors = {{"ids", DataType::kI64, {1}, bytes, ""}};
  const auto read = Checkpoint::open(write("m", tensors));
  std::vector<float> values(1);
  const auto copied = read->find("ids")->copy_to(values);
  ASSERT_FALSE(copied);
  EXPECT_NE(copied.error().message.find("\"ids\" holds I64"), std::string::npos);
  EXPECT_TRUE(read->find("ids")->check_finite());
}

TEST_F(Safetensors, NameATensorThatIsMissingOrOfAnotherShape) {
  const std::vector<float> a = {1, 2};
  const std::vector<Tensor> tensors = {tensor_of("a", {2}, a)};
  const auto read = Checkpoint::open(write("m", tensors));
  EXPECT_TRUE(read->require("a", std::array<std::size_t, 1>{2}));
  const auto shape = read->require("a", std::array<std::size_t, 2>{1, 2});
  ASSERT_FALSE(shape);
  EXPECT_NE(shape.error().message.find("\"a\" has shape [2], the configuration asks for [1, 2]"),
            std::string::npos);
  const auto missing = read->require("b", std::array<std::size_t, 1>{2});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("tensor \"b\" is missing"), std::string::npos);
}

TEST_F(Safetensors, AreNotWrittenWithATensorTwiceOrOfAnotherSize) {
  const std::vector<float> a = {1, 2};
  const std::vector<Tensor> twice = {tensor_of("a", {2}, a), tensor_of("a", {2}, a)};
  const std::vector<Tensor> wrong = {tensor_of("a", {3}, a)};
  EXPECT_FALSE(write_safetensors(folder_ / "m", twice));
  EXPECT_FALSE(write_safetensors(folder_ / "m", wrong));
  EXPECT_FALSE(fs::exists(folder_ / "m"));
}

TEST_F(Safetensors, KeepTheFileThatWasThereWhereTheDiskIsFull) {
  const std::vector<float> a = {1, 2}, big(100000, 3.0F);
  const std::vector<Tensor> small = {tensor_of("a", {2}, a)};
  const std::vector<Tensor> large = {tensor_of("a", {100000}, big)};
  const fs::path path = write("m", small);
  const std::string before = *read_file(path);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limit{4096, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  const auto written = write_safetensors(path, large);
  setrlimit(RLIMIT_FSIZE, &old);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::kExhausted) << written.error().message;
  EXPECT_EQ(*read_file(path), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);  // nothing is left over
}

TEST_F(Safetensors, CutAnywhereAreRefused) {
  const std::vector<float> a = {1, 2, 3};
  const std::vector<Tensor> tensors = {tensor_of("a", {3}, a)};
  const std::string whole = *read_file(write("m", tensors));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::span bytes(reinterpret_cast<const std::byte*>(whole.data()), length);
    EXPECT_FALSE(parse_safetensors(bytes, "cut")) << length;
  }
}

TEST_F(Safetensors, WithRandomBytesChangedAreReadOrRefused) {
  const std::vector<float> a = {1, 2, 3};
  const std::vector<Tensor> tensors = {tensor_of("a", {3}, a), tensor_of("b", {1, 3}, a)};
  const std::string whole = *read_file(write("m", tensors));
  for (std::uint64_t round = 0; round < 20000; ++round) {
    Stream stream(1, "mutate", round);
    std::string changed = whole;
    for (std::uint32_t i = 0; i <= stream.below(4); ++i) {
      changed[stream.below(changed.size())] = static_cast<char>(stream.below(256));
    }
    const std::span bytes(reinterpret_cast<const std::byte*>(changed.data()), changed.size());
    const auto header = parse_safetensors(bytes, "changed");
    EXPECT_TRUE(header || !header.error().message.empty());
  }
}

TEST_F(Safetensors, OfSeveralShardsAreOneCheckpoint) {
  const std::vector<float> a = {1, 2}, b = {3};
  const std::vector<Tensor> first = {tensor_of("a", {2}, a)}, second = {tensor_of("b", {1}, b)};
  write("one.safetensors", first);
  write("two.safetensors", second);
  const auto index = [&](const std::string& text) {
    EXPECT_TRUE(write_file_atomic(folder_ / "model.safetensors.index.json", text));
    return Checkpoint::open(folder_ / "model.safetensors.index.json");
  };
  const auto read = index(R"({"weight_map":{"b":"two.safetensors","a":"one.safetensors"}})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(values_of(*read->find("a")), a);
  EXPECT_EQ(values_of(*read->find("b")), b);

  const std::pair<std::string, std::string> wrong[] = {
      {"[]", "not an index of shards"},
      {"{", "not an index of shards"},
      {R"({"weight_map":[]})", "not an index of shards"},
      {R"({"weight_map":{"a":1}})", "is placed in 1"},
      {R"({"weight_map":{"a":"../one.safetensors"}})", "no file name"},
      {R"({"weight_map":{"a":"/etc/passwd"}})", "no file name"},
      {R"({"weight_map":{"a":""}})", "no file name"},
      {R"({"weight_map":{"a":"three.safetensors"}})", "three.safetensors: cannot read"},
      {R"({"weight_map":{"a":"two.safetensors"}})", "holds tensor \"b\""},
      {R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"two.safetensors"}})",
       "two.safetensors lacks tensor \"c\""},
  };
  for (const auto& [text, words] : wrong) {
    const auto refused = index(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << refused.error().message;
  }
}

TEST(Bfloat16, IsTheNearestAndKeepsNan) {
  EXPECT_EQ(bf16_of_float(1.0F), 0x3f80);
  EXPECT_EQ(bf16_of_float(std::bit_cast<float>(0x3f808000U)), 0x3f80);  // a tie, to even
  EXPECT_EQ(bf16_of_float(std::bit_cast<float>(0x3f818000U)), 0x3f82);
  EXPECT_EQ(bf16_of_float(std::bit_cast<float>(0x3f808001U)), 0x3f81);
  EXPECT_TRUE(std::isnan(float_of_bf16(bf16_of_float(std::bit_cast<float>(0x7f800001U)))));
  EXPECT_TRUE(std::isinf(float_of_bf16(bf16_of_float(std::numeric_limits<float>::max()))));
}

TEST(Half, OfEveryBitPatternIsWhatTheProcessorSays) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const int exponent = static_cast<int>((bits >> 10) & 0x1f);
    const auto mantissa = static_cast<double>(bits & 0x3ff);
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (exponent == 0x1f) {
      EXPECT_EQ(std::isnan(float_of_half(half)), mantissa != 0);
      continue;
    }
    const double expected =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    EXPECT_EQ(static_cast<double>(float_of_half(half)), sign * expected) << bits;
  }
}

}  // namespace
}  // namespace plumb::nn
