#include "plumb/mismatch/loop/loop_settings.h"

#include <fmt/format.h>

#include <type_traits>

#include "plumb/base/files.h"

namespace plumb::mismatch {
namespace {

namespace fs = std::filesystem;

// One field of a manifest into an option of its type; false: another type, or missing.
bool take(const Json& json, const char* field, std::string& value) {
  if (!json.contains(field) || !json[field].is_string()) return false;
  value = json[field].get<std::string>();
  return true;
}
bool take(const Json& json, const char* field, bool& value) {
  if (!json.contains(field) || !json[field].is_boolean()) return false;
  value = json[field].get<bool>();
  return true;
}
bool take(const Json& json, const char* field, double& value) {
  if (!json.contains(field) || !json[field].is_number()) return false;
  value = json[field].get<double>();
  return true;
}
template <typename Number>
requires std::is_unsigned_v<Number>
bool take(const Json& json, const char* field, Number& value) {
  if (!json.contains(field) || !json[field].is_number_unsigned()) return false;
  value = json[field].get<Number>();
  return true;
}

bool take_names(const Json& json, LoopOptions& o) {
  std::string choosing, combination;
  if (!take(json, "choosing", choosing) || !take(json, "combination", combination)) return false;
  const auto chosen = parse_choosing(choosing);
  const auto combined = rlhf::parse_combination(combination);
  if (!chosen || !combined) return false;
  o.choosing = *chosen;
  o.combination = *combined;
  return true;
}

// The first field that could not be taken; nullptr: all were.
const char* take_manifest(const Json& json, LoopOptions& o) {
  const std::pair<const char*, std::size_t*> counts[] = {{"questions", &o.questions},
                                                         {"annotators", &o.annotators},
                                                         {"members", &o.members},
                                                         {"epochs", &o.epochs},
                                                         {"steps", &o.steps},
                                                         {"training_prompts", &o.training_prompts},
                                                         {"measured_prompts", &o.measured_prompts},
                                                         {"prompt_words", &o.prompt_words},
                                                         {"samples", &o.samples},
                                                         {"max_tokens", &o.max_tokens}};
  for (const auto& [field, value] : counts) {
    if (!take(json, field, *value)) return field;
  }
  const std::pair<const char*, double*> numbers[] = {
      {"noise", &o.noise}, {"rate", &o.rate}, {"kl_budget", &o.kl_budget}};
  for (const auto& [field, value] : numbers) {
    if (!take(json, field, *value)) return field;
  }
  if (!take(json, "seed", o.seed)) return "seed";
  if (!take(json, "gold", o.gold)) return "gold";
  if (!take(json, "people", o.people)) return "people";
  return take_names(json, o) ? nullptr : "choosing\" or \"combination";
}

tl::unexpected<Error> damaged(const fs::path& file, const char* field) {
  return fail(ErrorKind::kBadInput,
              fmt::format("{}: \"{}\" is missing or of another type", file.string(), field));
}

}  // namespace

Json loop_manifest(const LoopOptions& o, const std::string& base_sha256) {
  return {{"schema", "plumb.loop-run/1"},
          {"base_sha256", base_sha256},
          {"gold", o.gold},
          {"people", o.people},
          {"choosing", choosing_name(o.choosing)},
          {"questions", o.questions},
          {"annotators", o.annotators},
          {"noise", o.noise},
          {"members", o.members},
          {"combination", rlhf::combination_name(o.combination)},
          {"epochs", o.epochs},
          {"steps", o.steps},
          {"rate", o.rate},
          {"kl_budget", o.kl_budget},
          {"training_prompts", o.training_prompts},
          {"measured_prompts", o.measured_prompts},
          {"prompt_words", o.prompt_words},
          {"samples", o.samples},
          {"max_tokens", o.max_tokens},
          {"seed", o.seed}};
}

Result<void> write_loop_settings(const LoopOptions& options) {
  const Json settings = {
      {"model", fs::absolute(options.base.model).string()},
      {"tokenizer", options.base.tokenizer.empty() ? std::string()
                                                   : fs::absolute(options.base.tokenizer).string()},
      {"rounds", options.rounds}};
  return write_whole(options.folder / "settings.json", to_text(settings, 2) + "\n");
}

Result<LoopOptions> read_loop(const fs::path& folder) {
  const fs::path manifest = folder / "manifest.json", settings = folder / "settings.json";
  PLUMB_TRY(json, read_json_object(manifest));
  std::string schema;
  if (!take(json, "schema", schema) || schema != "plumb.loop-run/1") {
    return fail(ErrorKind::kBadInput,
                fmt::format("{}: the folder holds no loop", manifest.string()));
  }
  LoopOptions options;
  options.folder = folder;
  if (const char* field = take_manifest(json, options)) return damaged(manifest, field);
  PLUMB_TRY(where, read_json_object(settings));
  std::string model, tokenizer;
  if (!take(where, "model", model)) return damaged(settings, "model");
  if (!take(where, "tokenizer", tokenizer)) return damaged(settings, "tokenizer");
  if (!take(where, "rounds", options.rounds)) return damaged(settings, "rounds");
  options.base = {model, tokenizer};
  return options;
}

fs::path round_folder(const fs::path& folder, std::size_t round) {
  return folder / "rounds" / fmt::format("{}", round);
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(file, ignored);
}

Result<Json> read_json_object(const fs::path& file) {
  PLUMB_TRY(text, read_file(file));
  Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) return json;
  return fail(ErrorKind::kBadInput, fmt::format("{}: not a JSON object", file.string()));
}

Result<void> write_whole(const fs::path& file, const std::string& bytes) {
  std::error_code code;
  fs::create_directories(file.parent_path(), code);
  if (code) return tl::unexpected(file_error("create", file.parent_path(), code.value()));
  return write_file_atomic(file, bytes);
}

}  // namespace plumb::mismatch
