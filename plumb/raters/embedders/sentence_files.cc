#include "plumb/raters/embedders/sentence_files.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <system_error>

#include "plumb/base/files.h"
#include "plumb/base/json.h"

namespace plumb::raters {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, Pooling>, 4> kPoolings = {
    {{"pooling_mode_mean_tokens", Pooling::kMean},
     {"pooling_mode_cls_token", Pooling::kFirstToken},
     {"pooling_mode_lasttoken", Pooling::kLastToken},
     {"pooling_mode_weightedmean_tokens", Pooling::kWeightedMean}}};

tl::unexpected<Error> wrong(const fs::path& file, const std::string& why) {
  return fail(ErrorKind::kBadInput, fmt::format("{}: {}", file.string(), why));
}

// The JSON of a file of the recipe; nothing where there is no such file.
Result<std::optional<Json>> read_part(const fs::path& file, SentenceRecipe& recipe) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::optional<Json>();
  PLUMB_TRY(text, read_file(file));
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() && !json.is_array()) return wrong(file, "not a JSON object or list");
  recipe.files.push_back(file);
  return std::optional(std::move(json));
}

Result<void> read_pooling(const fs::path& file, SentenceRecipe& recipe) {
  PLUMB_TRY(json, read_part(file, recipe));
  if (!json || !json->is_object()) return wrong(file, "the pooling's config.json is missing");
  std::string chosen;
  for (const auto& [key, value] : json->items()) {
    const bool mode = key.starts_with("pooling_mode_") && value.is_boolean() && value.get<bool>();
    if (!mode) continue;
    if (!chosen.empty()) {
      return wrong(file, fmt::format("{} and {} together are not supported", chosen, key));
    }
    chosen = key;
  }
  for (const auto& [key, pooling] : kPoolings) {
    if (key != chosen) continue;
    recipe.pooling = pooling;
    return {};
  }
  return wrong(file, chosen.empty() ? std::string("no pooling is chosen")
                                    : fmt::format("the pooling {} is not supported", chosen));
}

Result<void> read_modules(const fs::path& folder, const Json& modules, SentenceRecipe& recipe) {
  const fs::path file = folder / "modules.json";
  if (!modules.is_array()) return wrong(file, "not a list of modules");
  bool pooled = false;
  for (const Json& module : modules) {
    const bool sound = module.is_object() && module.contains("type") && module["type"].is_string();
    if (!sound) return wrong(file, "a module has no type");
    const auto type = module["type"].get<std::string>();
    const std::string name = type.substr(type.rfind('.') + 1);
    const Json path = module.value("path", Json(""));
    const bool plain = path.is_string() &&
                       path.get<std::string>().find("..") == std::string::npos &&
                       !path.get<std::string>().starts_with("/");
    if (!plain) return wrong(file, fmt::format("the module {} lies outside the folder", name));
    if (name == "Pooling") {
      const auto read = read_pooling(folder / path.get<std::string>() / "config.json", recipe);
      if (!read) return read;
      pooled = true;
    } else if (name == "Normalize") {
      recipe.normalize = true;
    } else if (name != "Transformer") {
      return wrong(file, fmt::format("the module {} is not supported; Transformer, Pooling and "
                                     "Normalize are",
                                     name));
    }
  }
  return pooled ? Result<void>() : wrong(file, "there is no Pooling module");
}

Result<void> read_prompts(const fs::path& file, SentenceRecipe& recipe) {
  PLUMB_TRY(json, read_part(file, recipe));
  if (!json || !json->is_object()) return {};
  const Json prompts = json->value("prompts", Json::object());
  for (const auto& [name, prompt] : prompts.items()) {
    if (!prompt.is_string())
      return wrong(file, fmt::format("the prompt \"{}\" is no string", name));
    recipe.prompts[name] = prompt.get<std::string>();
  }
  const Json chosen = json->value("default_prompt_name", Json());
  if (!chosen.is_string()) return {};
  recipe.default_prompt = chosen.get<std::string>();
  if (recipe.prompts.contains(recipe.default_prompt)) return {};
  return wrong(file, fmt::format("there is no prompt \"{}\"", recipe.default_prompt));
}

}  // namespace

std::string_view pooling_name(Pooling pooling) {
  constexpr std::array<std::string_view, 4> kNames = {"mean", "first token", "last token",
                                                      "weighted mean"};
  return kNames[static_cast<std::size_t>(pooling)];
}

Result<SentenceRecipe> read_sentence_recipe(const fs::path& folder) {
  SentenceRecipe recipe;
  PLUMB_TRY(modules, read_part(folder / "modules.json", recipe));
  if (modules) {
    if (auto read = read_modules(folder, *modules, recipe); !read) {
      return tl::unexpected(read.error());
    }
  }
  const fs::path limits = folder / "sentence_bert_config.json";
  PLUMB_TRY(limit, read_part(limits, recipe));
  if (limit && limit->is_object() && limit->contains("max_seq_length")) {
    const Json& length = (*limit)["max_seq_length"];
    const bool sound =
        length.is_null() || (length.is_number_unsigned() && length.get<std::size_t>() > 0);
    if (!sound) return wrong(limits, "\"max_seq_length\" is not a whole number above 0");
    if (!length.is_null()) recipe.max_tokens = length.get<std::size_t>();
  }
  const auto prompts = read_prompts(folder / "config_sentence_transformers.json", recipe);
  if (!prompts) return tl::unexpected(prompts.error());
  return recipe;
}

}  // namespace plumb::raters
