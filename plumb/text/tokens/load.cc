#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/files.h"
#include "plumb/text/tokens/llama2c_file.h"
#include "plumb/text/tokens/other_files.h"
#include "plumb/text/tokens/tokenizer_json.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using tokens::Config;
using tokens::StateResult;

constexpr std::uintmax_t kLargestFile = std::uintmax_t{1} << 29;

Result<std::string> read_bounded(const fs::path& path) {
  std::error_code code;
  const std::uintmax_t size = fs::file_size(path, code);
  if (!code && size > kLargestFile) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: has {} bytes; no tokenizer is larger than {}", path.string(), size,
                            kLargestFile));
  }
  return read_file(path);
}

// Everything in the name but `ending` stays: gpt2_vocab.json has gpt2_merges.txt beside it.
fs::path beside(const fs::path& path, std::string_view ending, std::string_view other) {
  std::string name = path.filename().string();
  name.replace(name.size() - ending.size(), ending.size(), other);
  return path.parent_path() / name;
}

StateResult load_json(const fs::path& path) {
  PLUMB_TRY(bytes, read_bounded(path));
  return tokens::read_tokenizer_json(bytes, path.string());
}

StateResult load_vocab_txt(const fs::path& path, const Config& config) {
  PLUMB_TRY(bytes, read_bounded(path));
  return tokens::read_vocab_txt(bytes, path.string(), config);
}

StateResult load_vocab_and_merges(const fs::path& vocabulary, const fs::path& merges,
                                  const Config& config) {
  PLUMB_TRY(vocabulary_bytes, read_bounded(vocabulary));
  PLUMB_TRY(merges_bytes, read_bounded(merges));
  return tokens::read_vocab_and_merges(vocabulary_bytes, vocabulary.string(), merges_bytes,
                                       merges.string(), config);
}

StateResult load_bin(const fs::path& path) {
  PLUMB_TRY(bytes, read_bounded(path));
  return tokens::read_llama2c(bytes, path.string());
}

// The only file of the folder with this ending that the test accepts.
template <typename Test>
std::optional<fs::path> only_one(const fs::path& folder, std::string_view ending,
                                 const Test& test) {
  std::optional<fs::path> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (!entry.path().filename().string().ends_with(ending) || !test(entry.path())) continue;
    if (found) return std::nullopt;
    found = entry.path();
  }
  return found;
}

bool is_tokenizer_bin(const fs::path& path) {
  std::error_code code;
  if (fs::file_size(path, code) > (std::uintmax_t{1} << 26) || code) return false;
  const auto bytes = read_file(path);
  return bytes && tokens::looks_like_llama2c(*bytes);
}

// The file in the folder that holds the tokenizer.
Result<fs::path> find_file(const fs::path& folder) {
  std::error_code code;
  for (const char* name : {"tokenizer.json", "tokenizer.bin"}) {
    if (fs::exists(folder / name, code)) return folder / name;
  }
  if (const auto bin = only_one(folder, ".bin", is_tokenizer_bin)) return *bin;
  const auto has_merges = [&](const fs::path& path) {
    return fs::exists(beside(path, "vocab.json", "merges.txt"), code);
  };
  if (const auto vocabulary = only_one(folder, "vocab.json", has_merges)) return *vocabulary;
  if (fs::exists(folder / "vocab.txt", code)) return folder / "vocab.txt";
  return fail(ErrorKind::kNotFound,
              fmt::format("{}: holds no tokenizer; it would be tokenizer.json, tokenizer.bin, "
                          "vocab.json with merges.txt, or vocab.txt",
                          folder.string()));
}

// By its name, else by how it begins.
StateResult load_file(const fs::path& path, const Config& config) {
  const std::string name = path.filename().string();
  if (name.ends_with("vocab.json"))
    return load_vocab_and_merges(path, beside(path, "vocab.json", "merges.txt"), config);
  if (name.ends_with("merges.txt"))
    return load_vocab_and_merges(beside(path, "merges.txt", "vocab.json"), path, config);
  if (name.ends_with(".json")) return load_json(path);
  if (name.ends_with(".txt")) return load_vocab_txt(path, config);
  if (name.ends_with(".bin")) return load_bin(path);
  if (name.ends_with(".model")) {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: SentencePiece's own files are not read; save the tokenizer as "
                            "tokenizer.json with transformers "
                            "(AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))",
                            path.string()));
  }
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: is no tokenizer by its name; it would end in .json, .txt or .bin",
                          path.string()));
}

}  // namespace

Result<Tokenizer> load_tokenizer(const fs::path& path) {
  std::error_code code;
  const bool is_folder = fs::is_directory(path, code);
  if (!is_folder && !fs::exists(path, code))
    return tl::unexpected(file_error("read", path, ENOENT));
  fs::path file = path;
  if (is_folder) {
    PLUMB_TRY(found, find_file(path));
    file = found;
  }
  PLUMB_TRY(config, tokens::read_config(file.parent_path()));
  PLUMB_TRY(state, load_file(file, config));
  if (auto done = tokens::apply_config(config, file.string(), *state); !done)
    return tl::unexpected(done.error());
  return Tokenizer(std::move(state));
}

Result<Tokenizer> parse_tokenizer_json(std::string_view json, const std::string& name) {
  PLUMB_TRY(state, tokens::read_tokenizer_json(json, name));
  return Tokenizer(std::move(state));
}

}  // namespace plumb
