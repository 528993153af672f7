#include "plumb/text/tokens/config.h"

#include <fmt/format.h>

#include "plumb/base/files.h"
#include "plumb/base/json.h"

namespace plumb::tokens {
namespace {

struct Role {
  std::string_view key;
  std::optional<std::string> Config::*named;
  std::optional<TokenId> SpecialTokens::*role;
};
constexpr Role kRoles[] = {{"bos_token", &Config::bos, &SpecialTokens::bos},
                           {"eos_token", &Config::eos, &SpecialTokens::eos},
                           {"unk_token", &Config::unk, &SpecialTokens::unk},
                           {"pad_token", &Config::pad, &SpecialTokens::pad},
                           {"cls_token", &Config::cls, &SpecialTokens::cls},
                           {"sep_token", &Config::sep, &SpecialTokens::sep},
                           {"mask_token", &Config::mask, &SpecialTokens::mask}};

// One of the files, with its name for errors.
struct Document {
  Json root;
  std::string name;

  tl::unexpected<Error> bad(std::string_view key, std::string_view what) const {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}: {}", name, key, what));
  }
  // Nothing where it is missing or null.
  const Json* find(std::string_view key) const {
    const auto found = root.find(key);
    return found == root.end() || found->is_null() ? nullptr : &*found;
  }
  Result<void> read_flag(std::string_view key, bool& flag) const {
    const Json* found = find(key);
    if (found == nullptr) return {};
    if (!found->is_boolean()) return bad(key, "must be true or false");
    flag = found->get<bool>();
    return {};
  }
};

// "<s>", or {"content": "<s>", ...}.
Result<void> read_roles(const Document& document, Config& config) {
  for (const Role& role : kRoles) {
    const Json* found = document.find(role.key);
    if (found == nullptr || config.*role.named) continue;
    const Json* text =
        found->is_object() && found->contains("content") ? &found->at("content") : found;
    if (!text->is_string())
      return document.bad(role.key, "must be a text, or an object with the text 'content'");
    config.*role.named = text->get<std::string>();
  }
  return {};
}

// Absent, and the huge number that stands for absent, are no limit.
Result<void> read_longest(const Document& document, Config& config) {
  const Json* found = document.find("model_max_length");
  if (found == nullptr) return {};
  if (!found->is_number() || found->get<double>() < 1)
    return document.bad("model_max_length", "must be a positive number");
  if (found->get<double>() < 1e9) config.model_max_tokens = found->get<std::size_t>();
  return {};
}

Result<void> read_settings(const Document& document, Config& config) {
  bool accents = false;
  for (const auto& [key, flag] :
       {std::pair<std::string_view, bool*>{"do_lower_case", &config.lowercase},
        {"tokenize_chinese_chars", &config.chinese_characters},
        {"add_prefix_space", &config.add_prefix_space},
        {"strip_accents", &accents}}) {
    if (auto done = document.read_flag(key, *flag); !done) return done;
  }
  if (document.find("strip_accents") != nullptr) config.strip_accents = accents;
  return read_longest(document, config);
}

template <typename Read>
Result<void> read_if_there(const std::filesystem::path& path, const Read& read) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) return {};
  PLUMB_TRY(bytes, read_file(path));
  Document document{Json::parse(bytes, nullptr, false), path.string()};
  if (!document.root.is_object())
    return fail(ErrorKind::kBadInput, fmt::format("{}: is no JSON object", document.name));
  return read(document);
}

}  // namespace

Result<Config> read_config(const std::filesystem::path& folder) {
  Config config;
  const auto settings = [&](const Document& document) -> Result<void> {
    if (auto done = read_roles(document, config); !done) return done;
    return read_settings(document, config);
  };
  if (auto done = read_if_there(folder / "tokenizer_config.json", settings); !done)
    return tl::unexpected(done.error());
  const auto roles = [&](const Document& document) { return read_roles(document, config); };
  if (auto done = read_if_there(folder / "special_tokens_map.json", roles); !done)
    return tl::unexpected(done.error());
  return config;
}

Result<void> apply_config(const Config& config, const std::string& file, Tokenizer::State& state) {
  for (const Role& role : kRoles) {
    const auto& named = config.*role.named;
    if (!named) continue;
    const auto id = state.vocabulary.find(*named);
    if (!id) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: {} '{}' of tokenizer_config.json is not in the vocabulary", file,
                              role.key, *named));
    }
    state.special.*role.role = *id;
  }
  if (state.special.pad) state.padding = *state.special.pad;
  state.model_max_tokens = config.model_max_tokens;
  return {};
}

}  // namespace plumb::tokens
