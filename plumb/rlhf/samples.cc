#include "plumb/rlhf/samples.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "plumb/rlhf/conversation.h"
#include "plumb/text/lines.h"

namespace plumb::rlhf {
namespace {

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

Result<std::string> text_of(const Json& line, const char* field) {
  PLUMB_TRY(conversation, parse_conversation(line, field));
  return plain_text(conversation);
}

// Nothing where the field is missing or null.
Result<std::optional<double>> number_of(const Json& line, const char* field) {
  const auto found = line.find(field);
  if (found == line.end() || found->is_null()) return std::optional<double>();
  if (!found->is_number() || !std::isfinite(found->get<double>())) {
    return bad(fmt::format("\"{}\" is not a number", field));
  }
  return std::optional(found->get<double>());
}

Result<std::optional<std::size_t>> count_of(const Json& line, const char* field) {
  PLUMB_TRY(number, number_of(line, field));
  if (!number) return std::optional<std::size_t>();
  if (*number < 0 || *number != std::floor(*number) || *number > 1e15) {
    return bad(fmt::format("\"{}\" is not a whole number from 0 on", field));
  }
  return std::optional(static_cast<std::size_t>(*number));
}

Result<std::optional<bool>> flag_of(const Json& line, const char* field) {
  const auto found = line.find(field);
  if (found == line.end() || found->is_null()) return std::optional<bool>();
  if (!found->is_boolean()) return bad(fmt::format("\"{}\" is neither true nor false", field));
  return std::optional(found->get<bool>());
}

Result<Sample> parse_sample(std::string_view text) {
  const Json line = Json::parse(text, nullptr, false);
  if (!line.is_object()) return bad("the line is not a JSON object");
  Sample sample;
  PLUMB_TRY(step, count_of(line, "step"));
  if (!step) return bad("\"step\" is missing");
  sample.step = *step;
  const std::pair<const char*, std::string*> texts[] = {{"prompt", &sample.prompt},
                                                        {"completion", &sample.completion}};
  for (const auto& [field, target] : texts) {
    PLUMB_TRY(value, text_of(line, field));
    *target = std::move(value);
  }
  PLUMB_TRY(tokens, count_of(line, "tokens"));
  sample.tokens = tokens;
  PLUMB_TRY(ended, flag_of(line, "ended"));
  sample.ended = ended;
  const std::pair<const char*, std::optional<double>*> numbers[] = {
      {"proxy", &sample.proxy},
      {"gold", &sample.gold},
      {"kl", &sample.kl},
      {"log_probability", &sample.log_probability},
      {"reference_log_probability", &sample.reference_log_probability}};
  for (const auto& [field, target] : numbers) {
    PLUMB_TRY(value, number_of(line, field));
    *target = value;
  }
  if (sample.kl && *sample.kl < 0) return bad("\"kl\", an exact divergence, is below 0");
  return sample;
}

template <typename T>
void set(Json& json, const char* field, const std::optional<T>& value) {
  if (value) json[field] = *value;
}

}  // namespace

Json sample_json(const Sample& sample) {
  Json json = {{"step", sample.step}, {"prompt", sample.prompt}, {"completion", sample.completion}};
  set(json, "tokens", sample.tokens);
  set(json, "ended", sample.ended);
  set(json, "proxy", sample.proxy);
  set(json, "gold", sample.gold);
  set(json, "kl", sample.kl);
  set(json, "log_probability", sample.log_probability);
  set(json, "reference_log_probability", sample.reference_log_probability);
  return json;
}

Result<std::vector<Sample>> read_samples(const std::filesystem::path& file,
                                         const Progress& progress) {
  PLUMB_TRY(lines, LineReader::open(file));
  std::vector<Sample> samples;
  while (true) {
    PLUMB_TRY(text, lines.next());
    if (!text) break;
    if (text->find_first_not_of(" \t") == std::string_view::npos) continue;
    auto sample = parse_sample(*text);
    if (!sample) return bad(fmt::format("{}: {}", lines.where(), sample.error().message));
    samples.push_back(std::move(*sample));
    if (progress) progress(lines.bytes_read(), lines.bytes_total());
  }
  if (samples.empty()) return bad(fmt::format("{}: holds no samples", file.string()));
  return samples;
}

}  // namespace plumb::rlhf
