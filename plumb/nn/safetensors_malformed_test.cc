// Malformed safetensors files, made by hand, each refused with its own words.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "plumb/nn/safetensors.h"

namespace plumb::nn {
namespace {

// `length` bytes as a header length in front of the rest.
std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string file(sizeof(length), '\0');
  std::memcpy(file.data(), &length, sizeof(length));
  return file + rest;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return with_length(header.size(), header + std::string(data_bytes, '\0'));
}

struct Case {
  std::string file;
  std::string words;
};

void expect_refusals(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const auto header = parse_safetensors(
        std::span(reinterpret_cast<const std::byte*>(one.file.data()), one.file.size()), "bad");
    ASSERT_FALSE(header) << one.file.substr(0, 200);
    EXPECT_EQ(header.error().kind, ErrorKind::kBadInput);
    EXPECT_TRUE(header.error().message.starts_with("bad: ")) << header.error().message;
    EXPECT_NE(header.error().message.find(one.words), std::string::npos)
        << one.file.substr(0, 200) << "\n"
        << header.error().message << "\nlacks: " << one.words;
    EXPECT_EQ(header.error().message.find('\n'), std::string::npos) << header.error().message;
  }
}

TEST(MalformedSafetensors, LengthOfTheHeaderIsWrong) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  expect_refusals({
      {"", "0 bytes are too few"},
      {std::string(1, '\0'), "1 bytes are too few"},
      {std::string(7, '\0'), "7 bytes are too few"},
      {with_length(0, ""), "a header of 0 bytes is too short"},
      {with_length(0, good), "a header of 0 bytes is too short"},
      {with_length(1, "{"), "a header of 1 bytes is too short"},
      {with_length(2, ""), "the header says 2 bytes, 0 are left"},
      {with_length(2, "{"), "the header says 2 bytes, 1 are left"},
      {with_length(good.size() + 5, good + "\0\0\0\0"), "are left"},
      {with_length(100'000'001, "{}"), "is over the limit of 100 MB"},
      {with_length(~std::uint64_t{0}, "{}"), "is over the limit of 100 MB"},
      {with_length(std::uint64_t{1} << 63, "{}"), "is over the limit of 100 MB"},
      {with_length(99'999'999, "{}"), "the header says 99999999 bytes, 2 are left"},
      {"PK\x03\x04" + std::string(60, '\0'),
       "the header says 67324752 bytes"},                              // a zip, so a .pt file
      {"\x80\x02}q\x01" + std::string(40, 'x'), "is over the limit"},  // a bare pickle
      {"\x1f\x8b\x08" + std::string(40, '\x7f'), "is over the limit"},
      {"<!DOCTYPE html><html>Not found</html>", "is over the limit"},
      {"version https://git-lfs.github.com/spec/v1\n", "is over the limit"},
      {good, "is over the limit"},  // the length was left out
  });
}

TEST(MalformedSafetensors, HeaderIsNotJson) {
  expect_refusals({
      {file_of("  {}", 0), "does not begin with '{'"},
      {file_of("[]", 0), "does not begin with '{'"},
      {file_of("\"a\"", 0), "does not begin with '{'"},
      {file_of("null", 0), "does not begin with '{'"},
      {file_of("\xef\xbb\xbf{}", 0), "does not begin with '{'"},
      {file_of(std::string(16, '\0'), 0), "does not begin with '{'"},
      {file_of("{ ", 0), "not JSON at byte"},
      {file_of("{}}", 0), "not JSON at byte"},
      {file_of("{}{}", 0), "not JSON at byte"},
      {file_of("{},", 0), "not JSON at byte"},
      {file_of(std::string("{}\0\0", 4), 0), "not JSON at byte"},
      {file_of(std::string("{\0}", 3), 0), "not JSON at byte 9: a zero byte"},
      {file_of(std::string("{}\0PK\x03\x04", 7), 0), "not JSON at byte 10: a zero byte"},
      {file_of("{'a':1}", 0), "not JSON at byte"},
      {file_of("{a:1}", 0), "not JSON at byte"},
      {file_of("{\"a\"}", 0), "not JSON at byte"},
      {file_of("{\"a\":}", 0), "not JSON at byte"},
      {file_of("{\"__metadata__\":{}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"dtype\":\"F32\",}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"shape\":[1,]}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"shape\":[1 2]}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"shape\":[01]}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"shape\":[+1]}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"shape\":[0x1]}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"shape\":[NaN]}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"dtype\":\"F32}}", 0), "not JSON at byte"},
      {file_of("{\"a\":{\"dtype\":\"F\x01"
               "2\"}}",
               0),
       "not JSON at byte"},
      {file_of("{\"a\\q\":{}}", 0), "not JSON at byte"},
      {file_of("{\"a\\ud800\":{}}", 0), "not JSON at byte"},
      {file_of("{\"\xff\":{}}", 0), "not JSON at byte"},
      {file_of("{\"\xc0\xaf\":{}}", 0), "not JSON at byte"},          // overlong
      {file_of("{\"\xed\xa0\x80\":{}}", 0), "not JSON at byte"},      // a surrogate
      {file_of("{\"\xf5\x80\x80\x80\":{}}", 0), "not JSON at byte"},  // beyond Unicode
      {file_of("{\"\xe2\x82\":{}}", 0), "not JSON at byte"},          // cut short
      {file_of("{/* */}", 0), "not JSON at byte"},
  });
}

TEST(MalformedSafetensors, HeaderHasAnotherForm) {
  const std::string deep(5000, '[');
  expect_refusals({
      {file_of(R"({"a":1})", 0), "tensor \"a\": a number where an object belongs"},
      {file_of(R"({"a":-1})", 0), "tensor \"a\": a negative number where an object belongs"},
      {file_of(R"({"a":1.5})", 0), "tensor \"a\": the number 1.5 where an object belongs"},
      {file_of(R"({"a":null})", 0), "tensor \"a\": null where an object belongs"},
      {file_of(R"({"a":true})", 0), "tensor \"a\": true or false where an object belongs"},
      {file_of(R"({"a":"b"})", 0), "tensor \"a\": a string where an object belongs"},
      {file_of(R"({"a":[]})", 0), "tensor \"a\": a list where an object belongs"},
      {file_of("{\"a\":" + deep, 0), "tensor \"a\": a list where an object belongs"},
      {file_of(R"({"a":{"dtype":{"x":1}}})", 0), "tensor \"a\": an object where a string belongs"},
      {file_of(R"({"a":{"shape":{"x":1}}})", 0), "an object where a list of numbers belongs"},
      {file_of(R"({"a":{"shape":[[1]]}})", 0), "a list where a number that is not negative"},
      {file_of("{\"a\":{\"shape\":" + deep, 0), "a list where a number that is not negative"},
      {file_of(R"({"a":{"shape":[{}]}})", 0), "an object where a number that is not negative"},
      {file_of(R"({"":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4), "an empty name"},
      {file_of("{\"" + std::string(513, 'n') + "\":{}}", 0), "is over 512 bytes"},
      {file_of(R"({"a\nb":{}})", 0), "holds control characters"},
      {file_of(R"({"a\u0000b":{}})", 0), "holds control characters"},
      {file_of(R"({"a\u007f":{}})", 0), "holds control characters"},
      {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                  "a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
               8),
       "tensor \"a\" comes twice"},
      {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                  "\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
               4),
       "tensor \"a\" comes twice"},
  });
}

TEST(MalformedSafetensors, MetadataHasAnotherForm) {
  expect_refusals({
      {file_of(R"({"__metadata__":1})", 0), "where an object belongs"},
      {file_of(R"({"__metadata__":[]})", 0), "where an object belongs"},
      {file_of(R"({"__metadata__":"x"})", 0), "where an object belongs"},
      {file_of(R"({"__metadata__":{"a":1}})", 0), "__metadata__: a number where a string belongs"},
      {file_of(R"({"__metadata__":{"a":null}})", 0), "__metadata__: null where a string belongs"},
      {file_of(R"({"__metadata__":{"a":[]}})", 0), "__metadata__: a list where a string belongs"},
      {file_of(R"({"__metadata__":{"a":{}}})", 0), "__metadata__: an object where a string"},
      {file_of(R"({"__metadata__":{"a":true}})", 0), "__metadata__: true or false where a string"},
      {file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "the key \"a\" comes twice"},
      {file_of(R"({"__metadata__":{},"__metadata__":{}})", 0), "__metadata__ comes twice"},
      {file_of("{\"__metadata__\":{\"a\":\"" + std::string((1 << 20) + 1, 'x') + "\"}}", 0),
       "__metadata__ is over 1 MB"},
      {file_of("{\"__metadata__\":{\"" + std::string((1 << 20) + 1, 'x') + "\":\"\"}}", 0),
       "__metadata__ is over 1 MB"},
  });
}

// A header of one tensor with these three fields.
std::string one(const std::string& type, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"a":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", type, shape,
                     offsets);
}

TEST(MalformedSafetensors, FieldsAreMissingUnknownOrTwice) {
  expect_refusals({
      {file_of(R"({"a":{}})", 0), "tensor \"a\": dtype is missing"},
      {file_of(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4), "dtype is missing"},
      {file_of(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4), "shape is missing"},
      {file_of(R"({"a":{"dtype":"F32","shape":[1]}})", 4), "data_offsets is missing"},
      {file_of(R"({"a":{"dtype":"F32","dtype":"F32"}})", 0), "dtype comes twice"},
      {file_of(R"({"a":{"shape":[1],"shape":[1]}})", 0), "shape comes twice"},
      {file_of(R"({"a":{"data_offsets":[0,4],"data_offsets":[0,4]}})", 4),
       "data_offsets comes twice"},
      {file_of(R"({"a":{"strides":[1]}})", 0), "the key \"strides\" is not known"},
      {file_of(R"({"a":{"Dtype":"F32"}})", 0), "the key \"Dtype\" is not known"},
      {file_of(one("\"F16 \"", "[1]", "[0,2]"), 2), "the dtype \"F16 \" is not known"},
      {file_of(one("\"f32\"", "[1]", "[0,4]"), 4), "the dtype \"f32\" is not known"},
      {file_of(one("\"\"", "[1]", "[0,4]"), 4), "the dtype \"\" is not known"},
      {file_of(one("\"C64\"", "[1]", "[0,8]"), 8), "the dtype \"C64\" is not known"},
      {file_of(one("32", "[1]", "[0,4]"), 4), "a number where a string belongs"},
      {file_of(one("null", "[1]", "[0,4]"), 4), "null where a string belongs"},
      {file_of(one("[\"F32\"]", "[1]", "[0,4]"), 4), "a list where a string belongs"},
  });
}

TEST(MalformedSafetensors, ShapesAreWrong) {
  expect_refusals({
      {file_of(one("\"F32\"", "1", "[0,4]"), 4), "a number where a list of numbers belongs"},
      {file_of(one("\"F32\"", "\"[1]\"", "[0,4]"), 4), "a string where a list of numbers"},
      {file_of(one("\"F32\"", "null", "[0,4]"), 4), "null where a list of numbers belongs"},
      {file_of(one("\"F32\"", "[-1]", "[0,4]"), 4), "a negative number where"},
      {file_of(one("\"F32\"", "[1.0]", "[0,4]"), 4), "the number 1.0 where"},
      {file_of(one("\"F32\"", "[1e0]", "[0,4]"), 4), "the number 1e0 where"},
      {file_of(one("\"F32\"", "[\"1\"]", "[0,4]"), 4), "a string where a number"},
      {file_of(one("\"F32\"", "[null]", "[0,4]"), 4), "null where a number"},
      {file_of(one("\"F32\"", "[true]", "[0,4]"), 4), "true or false where a number"},
      {file_of(one("\"F32\"", "[18446744073709551616]", "[0,4]"), 4), "the number 1844674407"},
      {file_of(one("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), "over 8 dimensions"},
      {file_of(one("\"F32\"", "[18446744073709551615]", "[0,4]"), 4), "overflows"},
      {file_of(one("\"F32\"", "[4611686018427387904]", "[0,0]"), 0), "overflows"},
      {file_of(one("\"U8\"", "[4294967296,4294967296]", "[0,0]"), 0), "overflows"},
      {file_of(one("\"F32\"", "[2]", "[0,4]"), 4), "F32 of shape [2] takes 8 bytes"},
      {file_of(one("\"F32\"", "[]", "[0,0]"), 0), "F32 of shape [] takes 4 bytes"},
      {file_of(one("\"F32\"", "[0]", "[0,4]"), 4), "F32 of shape [0] takes 0 bytes"},
      {file_of(one("\"F16\"", "[1]", "[0,4]"), 4), "F16 of shape [1] takes 2 bytes"},
      {file_of(one("\"I64\"", "[1]", "[0,4]"), 4), "I64 of shape [1] takes 8 bytes"},
      {file_of(one("\"F8_E4M3\"", "[3]", "[0,4]"), 4), "takes 3 bytes"},
  });
}

TEST(MalformedSafetensors, TensorsLieWrong) {
  const auto two = [](const std::string& first, const std::string& second) {
    return fmt::format(R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":{}}},
                           "b":{{"dtype":"U8","shape":[4],"data_offsets":{}}}}})",
                       first, second);
  };
  expect_refusals({
      {file_of(one("\"F32\"", "[1]", "[]"), 4), "data_offsets has not 2 numbers"},
      {file_of(one("\"F32\"", "[1]", "[0]"), 4), "data_offsets has not 2 numbers"},
      {file_of(one("\"F32\"", "[1]", "[0,4,8]"), 4), "data_offsets has over 2 numbers"},
      {file_of(one("\"F32\"", "[1]", "[-4,0]"), 4), "a negative number where"},
      {file_of(one("\"F32\"", "[1]", "[0,4.0]"), 4), "the number 4.0 where"},
      {file_of(one("\"F32\"", "[1]", "[4,0]"), 4), "it ends at 0, before it begins at 4"},
      {file_of(one("\"F32\"", "[1]", "[18446744073709551615,3]"), 4), "before it begins"},
      {file_of(one("\"F32\"", "[1]", "[0,4]"), 0), "ends at byte 4 of 0; the file is cut short"},
      {file_of(one("\"F32\"", "[1]", "[0,4]"), 3), "ends at byte 4 of 3; the file is cut short"},
      {file_of(one("\"F32\"", "[1]", "[0,4]"), 5), "1 bytes after the last tensor are unused"},
      {file_of(one("\"F32\"", "[1]", "[4,8]"), 8), "4 bytes before it are unused"},
      {file_of("{}", 1), "1 bytes after the last tensor are unused"},
      {file_of(R"({"__metadata__":{"a":"b"}})", 9), "9 bytes after the last tensor"},
      {file_of(two("[0,4]", "[0,4]"), 4), "tensor \"b\": it overlaps the tensor before it"},
      {file_of(two("[0,4]", "[3,7]"), 7), "tensor \"b\": it overlaps the tensor before it"},
      {file_of(two("[3,7]", "[0,4]"), 7), "tensor \"a\": it overlaps the tensor before it"},
      {file_of(two("[0,4]", "[5,9]"), 9), "tensor \"b\": 1 bytes before it are unused"},
      {file_of(two("[1,5]", "[5,9]"), 9), "tensor \"a\": 1 bytes before it are unused"},
      {file_of(two("[0,4]", "[4,8]"), 12), "4 bytes after the last tensor are unused"},
      {file_of(two("[0,4]", "[4,8]"), 7), "tensor \"b\": it ends at byte 8 of 7"},
      {file_of(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", 2), "are unused"},
  });
}

TEST(MalformedSafetensors, ThereAreTooManyTensors) {
  std::string header = "{";
  for (std::size_t i = 0; i <= kMaxTensors; ++i) {
    header += fmt::format(R"({}"{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                          i == 0 ? "" : ",", i);
  }
  expect_refusals({{file_of(header + "}", 0), "there are over 100000 tensors"}});
}

}  // namespace
}  // namespace plumb::nn
