#include "plumb/raters/embedders/vector_file.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "plumb/base/files.h"
#include "plumb/base/hash.h"
#include "plumb/raters/embedders/embedder_testing.h"
#include "plumb/raters/embedders/npy.h"
#include "plumb/raters/embedders/stored_embedder.h"
#include "plumb/tasks/testing.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;
using testing::embedded;
using testing::file_of;
using testing::raw_bytes;

// Dictionary and numbers as NumPy lays them out, whatever they are.
std::string npy_of(std::string_view dictionary, std::string_view data, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {static_cast<char>(version), '\0'};
  const std::size_t length = dictionary.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    bytes += static_cast<char>((length >> (8 * i)) & 0xff);
  }
  return bytes.append(dictionary).append(data);
}

std::string header_of(std::string_view descr, std::string_view shape,
                      std::string_view fortran = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", descr, fortran,
                     shape);
}

// Vectors of the name's stem with these names beside, the file's path.
fs::path stored(const std::string& name, std::string_view bytes, std::string_view names,
                const char* ending = ".ids.jsonl") {
  const fs::path path = file_of(name, bytes);
  for (const char* old : {".ids.jsonl", ".jsonl", ".ids.txt", ".ids", ".txt"}) {
    fs::remove(fs::path(path).replace_extension() += old);
  }
  file_of(fs::path(name).replace_extension().string() + ending, names);
  return path;
}

const std::vector<float> kValues = {1, 2, 3, 4, 5, 6};  // [3, 2]

fs::path three(std::string_view names, const char* ending = ".ids.jsonl") {
  return stored("three.npy", npy_bytes(3, 2, kValues), names, ending);
}

std::vector<float> row(const VectorFile& file, std::size_t i) {
  std::vector<float> values(file.columns());
  file.copy_row(i, values);
  return values;
}

// Bytes that numpy.save (1.24) wrote for np.array([[1, 2], [3, 4], [5, 6]], dtype="<f4").
TEST(Npy, IsWrittenAsNumPyWritesIt) {
  const std::string bytes = npy_bytes(3, 2, kValues);
  const std::string dictionary =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }" + std::string(58, ' ') + "\n";
  EXPECT_EQ(bytes, npy_of(dictionary, raw_bytes(kValues)));
  EXPECT_EQ(bytes.size(), 128U + 24U);
}

TEST(VectorFile, ReadsEveryTypeAndVersion) {
  const std::string names = "{\"id\": \"a\"}\n{\"text\": \"b\"}\n{\"id\": 3}\n";
  const std::vector<std::uint16_t> halves = {0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600};
  const std::string files[] = {
      npy_bytes(3, 2, kValues),
      npy_of(header_of("<f4", "(3, 2)"), raw_bytes(kValues), 2),
      npy_of(header_of("<f4", "(3,2,)"), raw_bytes(kValues), 3),
      npy_of("{\"shape\": (3L, 2L), \"fortran_order\": False, \"descr\": \"<f4\"}",
             raw_bytes(kValues)),
      npy_of(header_of("<f2", "(3, 2)"), raw_bytes(halves)),
      npy_of(header_of("<f8", "(3, 2)"), raw_bytes(std::vector<double>{1, 2, 3, 4, 5, 6}))};
  for (const std::string& bytes : files) {
    const auto file = VectorFile::open(stored("types.npy", bytes, names), "");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->rows(), 3U);
    EXPECT_EQ(row(*file, 0), (std::vector<float>{1, 2}));
    EXPECT_EQ(row(*file, 2), (std::vector<float>{5, 6}));
    EXPECT_EQ(file->sha256(), sha256(bytes));
    EXPECT_EQ(file->names_sha256(), sha256(names));
    EXPECT_EQ(file->names()[1].text, "b");
    EXPECT_EQ(file->names()[2].id, "3");
  }
}

TEST(VectorFile, IsReadBackAsItWasWritten) {
  const std::vector<RowName> names = {{.id = "i1", .part = 1, .text = "été\n\"x\""},
                                      {.text = "", .role = TextRole::kQuery},
                                      {.id = "7"}};
  for (const char* name : {"written.npy", "written.safetensors"}) {
    const fs::path path = testing::scratch(name);
    const auto written = write_vector_file(path, Vectors::dense(2, kValues), names);
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(written->filename(), "written.ids.jsonl");
    const auto file = VectorFile::open(path, "");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(row(*file, 1), (std::vector<float>{3, 4}));
    EXPECT_EQ(file->names()[0].id, "i1");
    EXPECT_EQ(file->names()[0].part, 1U);
    EXPECT_EQ(file->names()[0].text, names[0].text);
    EXPECT_EQ(file->names()[1].text, "");
    EXPECT_EQ(file->names()[1].role, TextRole::kQuery);
    EXPECT_EQ(file->names()[2].id, "7");
    EXPECT_FALSE(file->names()[2].text);
  }
}

TEST(VectorFile, LeavesTheNamesOfOtherVectorsAsTheyAre) {
  const fs::path npy = testing::scratch("shared.npy"),
                 other = testing::scratch("shared.safetensors");
  fs::remove(other);
  const std::vector<RowName> names = {{.id = "a"}, {.id = "b"}, {.id = "c"}},
                             two = {{.id = "d"}, {.id = "e"}};
  ASSERT_TRUE(write_vector_file(npy, Vectors::dense(2, kValues), names));
  const auto refused = write_vector_file(other, Vectors::dense(3, kValues), two);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
  EXPECT_FALSE(fs::exists(other));
  EXPECT_EQ(VectorFile::open(npy, "")->names()[2].id, "c");
  EXPECT_TRUE(write_vector_file(npy, Vectors::dense(3, kValues), two)) << "its own names go";
  EXPECT_TRUE(write_vector_file(other, Vectors::dense(3, kValues), two)) << "the same names";
}

TEST(VectorFile, WritesSparseRowsOut) {
  const Vectors sparse = Vectors::sparse(3, {{0, 1}, {2, 2}, {1, 3}}, {0, 2, 2, 3});
  const fs::path path = testing::scratch("sparse.npy");
  ASSERT_TRUE(
      write_vector_file(path, sparse, std::vector<RowName>{{.id = "a"}, {.id = "b"}, {.id = "c"}}));
  const auto file = VectorFile::open(path, "");
  ASSERT_TRUE(file);
  EXPECT_EQ(row(*file, 0), (std::vector<float>{1, 0, 2}));
  EXPECT_EQ(row(*file, 1), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(row(*file, 2), (std::vector<float>{0, 3, 0}));
}

TEST(VectorFile, IsNotWrittenWhereItMakesNoSense) {
  const std::vector<RowName> one = {{.id = "a"}};
  const auto other = write_vector_file("vectors.csv", Vectors::dense(1, {1}), one);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUsage);
  const auto wide = write_vector_file(testing::scratch("wide.npy"),
                                      Vectors::sparse((std::size_t{1} << 30) + 1, {}, {0, 0}), one);
  ASSERT_FALSE(wide);
  EXPECT_EQ(wide.error().kind, ErrorKind::kUsage);
  const auto missing = write_vector_file("no/such/a.npy", Vectors::dense(1, {1}), one);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

struct Malformed {
  const char* name;
  std::string bytes, names;
  const char* message;  // a part of it
};

std::string safetensors_of(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8).append(header).append(data);
}

std::string tensor_file(std::string_view name, std::string_view type, std::string_view shape,
                        const std::string& data) {
  return safetensors_of(fmt::format(R"({{"{}":{{"dtype":"{}","shape":{},"data_offsets":[0,{}]}}}})",
                                    name, type, shape, data.size()),
                        data);
}

TEST(VectorFile, NamesWhatIsWrongAndWhere) {
  const std::string data = raw_bytes(kValues), good = npy_bytes(3, 2, kValues);
  const std::string ids = "a\nb\nc\n";
  const float nan = std::nanf(""), infinite = std::numeric_limits<float>::infinity();
  const std::string two = raw_bytes<float>({1, 2});
  const Malformed cases[] = {
      {"m.npy", "", ids, "is no .npy file"},
      {"m.npy", "PK\3\4", ids, "is no .npy file"},
      {"m.npy", good.substr(0, 7), ids, "cut short in its header"},
      {"m.npy", good.substr(0, 9), ids, "cut short in its header"},
      {"m.npy", good.substr(0, 60), ids, "cut short in its header"},
      {"m.npy", npy_of("", "", 2).substr(0, 11), ids, "cut short in its header"},
      {"m.npy", npy_of(header_of("<f4", "(3, 2)"), data, 4), ids, "version 4.0"},
      {"m.npy", "\x93NUMPY\1\1" + good.substr(8), ids, "version 1.1"},
      {"m.npy", "\x93NUMPY\2" + std::string("\0\xff\xff\xff\x7f", 5) + data, ids,
       "a header of 2147483647 bytes"},
      {"m.npy", npy_of("{}", data), ids, "no dictionary"},
      {"m.npy", npy_of("", data), ids, "no dictionary"},
      {"m.npy", npy_of("{'descr': '<f4', 'shape': (3, 2)}", data), ids, "no dictionary"},
      {"m.npy", npy_of(header_of("<f4", "(3, 2)") + "x", data), ids, "no dictionary"},
      {"m.npy", npy_of("{'descr': '<f4", data), ids, "no dictionary"},
      {"m.npy", npy_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 2)}", data),
       ids, "no dictionary"},
      {"m.npy", npy_of(header_of("<f4", "(3, 2)", "None"), data), ids, "no dictionary"},
      {"m.npy", npy_of(header_of("<f4", "(-3, 2)"), data), ids, "no dictionary"},
      {"m.npy", npy_of(header_of("<f4", "(99999999999999999999, 2)"), data), ids, "no dictionary"},
      {"m.npy", npy_of(header_of("<f4", "(3, 2"), data), ids, "no dictionary"},
      {"m.npy",
       npy_of("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}", data),
       ids, "no dictionary"},
      {"m.npy", npy_of(header_of("|O", "(3, 2)"), data), ids, "numbers of type \"|O\""},
      {"m.npy", npy_of(header_of(">f4", "(3, 2)"), data), ids, "numbers of type \">f4\""},
      {"m.npy", npy_of(header_of("<i8", "(3, 1)"), data), ids, "numbers of type \"<i8\""},
      {"m.npy", npy_of(header_of("<f4", "(3, 2)", "True"), data), ids, "Fortran order"},
      {"m.npy", npy_of(header_of("<f4", "(6,)"), data), ids, "a shape of (6)"},
      {"m.npy", npy_of(header_of("<f4", "()"), data), ids, "a shape of ()"},
      {"m.npy", npy_of(header_of("<f4", "(1, 3, 2)"), data), ids, "a shape of (1, 3, 2)"},
      {"m.npy", npy_of(header_of("<f4", "(3, 0)"), ""), ids, "a shape of (3, 0)"},
      {"m.npy", good.substr(0, good.size() - 1), ids, "23 bytes of numbers"},
      {"m.npy", good.substr(0, good.size() - 4), ids, "20 bytes of numbers"},
      {"m.npy", good + "x", ids, "25 bytes of numbers"},
      {"m.npy", npy_of(header_of("<f4", "(4, 2)"), data), ids, "4 rows of 2"},
      {"m.npy", npy_of(header_of("<f4", "(4611686018427387904, 2)"), ""), ids,
       "4611686018427387904 rows"},
      {"m.npy", npy_of(header_of("<f4", "(1, 18446744073709551615)"), data), ids,
       "1 rows of 18446744073709551615"},
      {"m.npy", good, "a\nb\n", "2 names where"},
      {"m.npy", good, ids + "d\n", "4 names where"},
      {"m.npy", good, "", "0 names where"},
      {"m.npy", good, "a\n\nc\n", ":2: the line is empty"},
      {"m.npy", good, "a\n\xff\nc\n", ":2: "},
      {"m.npy", good, "{\"id\": \"a\"}\nb\n{\"id\": \"c\"}\n", ":2: the line is no object"},
      {"m.npy", good, "{\"text\": 3}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"id\": 1.5}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"id\": \"\"}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"name\": \"a\"}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"id\": \"a\", \"part\": -1}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"id\": \"a\", \"part\": \"x\"}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"id\": \"a\", \"role\": \"title\"}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"id\": \"a\", \"role\": 1}\n", ":1: the line is no object"},
      {"m.npy", good, "{\"id\": \"a\"\n", ":1: the line is no object"},
      {"m.npy", npy_bytes(3, 2, std::vector<float>{1, 2, 3, nan, 5, 6}), ids, "number 2 of row 2"},
      {"m.npy", npy_bytes(3, 2, std::vector<float>{1, 2, 3, 4, -infinite, 6}), ids,
       "number 1 of row 3"},
      {"m.npy", npy_of(header_of("<f8", "(1, 1)"), raw_bytes(std::vector<double>{1e300})), "a\n",
       "number 1 of row 1"},
      {"m.safetensors", "", ids, "m.safetensors"},
      {"m.safetensors", std::string(8, '\xff') + "{}", ids, "m.safetensors"},
      {"m.safetensors", safetensors_of("{}", ""), ids, "0 tensors are matrices"},
      {"m.safetensors", safetensors_of("[]", ""), ids, "m.safetensors"},
      {"m.safetensors", tensor_file("x", "F32", "[2]", two), ids, "0 tensors are matrices"},
      {"m.safetensors", tensor_file("vectors", "F32", "[2]", two), ids, "tensor \"vectors\""},
      {"m.safetensors", tensor_file("vectors", "I32", "[1,2]", two), "a\n", "tensor \"vectors\""},
      {"m.safetensors", tensor_file("x", "F32", "[1,3]", two), "a\n", "m.safetensors"},
      {"m.safetensors", tensor_file("x", "F32", "[1,2]", raw_bytes<float>({1, nan})), "a\n",
       "number 2 of row 1"},
  };
  for (const Malformed& bad : cases) {
    const char* ending = bad.names.starts_with('{') ? ".ids.jsonl" : ".ids.txt";
    const auto file = VectorFile::open(stored(bad.name, bad.bytes, bad.names, ending), "");
    ASSERT_FALSE(file) << bad.message;
    EXPECT_EQ(file.error().kind, ErrorKind::kBadInput) << file.error().message;
    EXPECT_NE(file.error().message.find(bad.message), std::string::npos)
        << bad.message << " | " << file.error().message;
  }
}

TEST(VectorFile, SaysWhichFileIsMissing) {
  EXPECT_EQ(VectorFile::open("no/such.npy", "").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(VectorFile::open("no/such.safetensors", "").error().kind, ErrorKind::kNotFound);
  const fs::path path = three("a\nb\nc\n", ".ids.txt");
  fs::remove(fs::path(path).replace_extension() += ".ids.txt");
  const auto file = VectorFile::open(path, "");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(file.error().message.find("three.ids.jsonl"), std::string::npos);
  EXPECT_EQ(VectorFile::open(path, "no/such.txt").error().kind, ErrorKind::kNotFound);
}

RC_GTEST_PROP(VectorFile, SurvivesAnyHeader, (std::uint64_t seed)) {
  Stream stream(seed, "header", 0);
  std::string bytes = npy_bytes(3, 2, kValues);
  for (std::size_t changes = 1 + stream.below(6); changes > 0; --changes) {
    bytes[stream.below(128)] = static_cast<char>(stream.below(128));
  }
  const std::vector<std::byte> octets = [&] {
    std::vector<std::byte> result(bytes.size());
    std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }();
  const auto header = parse_npy_header(octets, "f");
  if (!header) {
    RC_ASSERT(header.error().message.starts_with("f: "));
    return;
  }
  RC_ASSERT(header->data_offset + header->rows * header->columns * header->value_bytes() ==
            bytes.size());
}

// An STS task of two items; the second text of both is the same.
tasks::Task pairs() {
  tasks::Task task;
  task.kind = tasks::Kind::kSts;
  task.items = {{"p", {"one", "shared"}}, {"q", {"two", "shared"}}};
  return task;
}

std::unique_ptr<Embedder> opened(const fs::path& path, const tasks::Task* task = nullptr) {
  auto embedder = make_stored_embedder(path, "", task);
  EXPECT_TRUE(embedder) << embedder.error().message;
  return std::move(*embedder);
}

void expect_three(Embedder& embedder) {
  const Vectors vectors = embedded(embedder, {"two", "one", "shared", "two"});
  EXPECT_TRUE(
      std::ranges::equal(vectors.dense_values(), std::vector<float>{3, 4, 1, 2, 5, 6, 3, 4}));
}

TEST(StoredEmbedder, FindsTextsAndItems) {
  const tasks::Task task = pairs();
  expect_three(*opened(three("one\ntwo\nshared\n", ".txt")));
  expect_three(
      *opened(three("{\"text\": \"one\"}\n{\"text\": \"two\"}\n{\"text\": \"shared\"}\n")));
  expect_three(*opened(three("p#0\nq#0\nq#1\n", ".ids"), &task));
  expect_three(*opened(three("{\"id\": \"p\"}\n{\"id\": \"q\", \"part\": 0}\n"
                             "{\"id\": \"p\", \"part\": 1}\n",
                             ".jsonl"),
                       &task));
  tasks::Task single;
  single.kind = tasks::Kind::kClassification;
  single.items = {{"p", {"one"}}, {"q", {"two"}}};
  single.train = {{"t", {"shared"}}};
  expect_three(*opened(three("p\nq\nt\n", ".ids"), &single));
}

TEST(StoredEmbedder, TellsRolesApart) {
  const auto embedder =
      opened(three("{\"text\": \"one\", \"role\": \"query\"}\n"
                   "{\"text\": \"one\", \"role\": \"document\"}\n"
                   "{\"text\": \"one\"}\n"));
  EXPECT_EQ(embedded(*embedder, {"one"}, {.role = TextRole::kQuery}).dense_row(0)[0], 1);
  EXPECT_EQ(embedded(*embedder, {"one"}, {.role = TextRole::kDocument}).dense_row(0)[0], 3);
  EXPECT_EQ(embedded(*embedder, {"one"}).dense_row(0)[0], 5);
}

TEST(StoredEmbedder, NamesTheItemWithoutAVector) {
  const tasks::Task task = pairs();
  const auto embedder = opened(three("p#0\nq#0\nq#5\n", ".ids"), &task);
  const auto shared = embedder->embed(testing::views({"one", "shared"}), {});
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(shared.error().message.find("item p, \"shared\""), std::string::npos)
      << shared.error().message;
  const auto unknown = embedder->embed(testing::views({"never seen"}), {.role = TextRole::kQuery});
  EXPECT_NE(unknown.error().message.find("\"never seen\" as a query"), std::string::npos);
}

TEST(StoredEmbedder, RefusesTwoVectorsOfOneText) {
  const auto twice = make_stored_embedder(three("one\ntwo\none\n", ".txt"), "", nullptr);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(twice.error().message.find("three.txt:3"), std::string::npos);
  EXPECT_NE(twice.error().message.find("three.txt:1"), std::string::npos);
  const tasks::Task task = pairs();
  const auto embedder = opened(three("p#1\nq#1\nq#0\n", ".ids"), &task);
  const auto shared = embedder->embed(testing::views({"shared"}), {});
  ASSERT_FALSE(shared);
  EXPECT_NE(shared.error().message.find("three.ids:2"), std::string::npos);
}

TEST(StoredEmbedder, TakesTheFirstOfTwoThatAreAlike) {
  const auto path = stored("alike.npy", npy_bytes(2, 2, std::vector<float>{1, 2, 1.0001F, 2}),
                           "one\none\n", ".txt");
  EXPECT_EQ(embedded(*opened(path), {"one"}).dense_row(0)[0], 1);
}

TEST(StoredEmbedder, SaysWhatItRead) {
  const Json says = opened(three("one\ntwo\nshared\n", ".txt"))->provenance();
  EXPECT_EQ(says["sha256"], sha256(npy_bytes(3, 2, kValues)));
  EXPECT_EQ(says["names_sha256"], sha256("one\ntwo\nshared\n"));
  EXPECT_EQ(says["dimension"], 2);
  EXPECT_TRUE(says["prompt"].is_null());
}

}  // namespace
}  // namespace plumb::raters
