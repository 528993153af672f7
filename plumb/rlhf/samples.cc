#include "plumb/rlhf/samples.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "plumb/base/number.h"
#include "plumb/rlhf/preferences/conversation.h"
#include "plumb/rlhf/sample_files.h"

namespace plumb::rlhf {
namespace {

// Sums over many tokens of probability 1 end a little above 0.
constexpr double kRounding = 1e-3;

auto bad(std::string message) { return fail(ErrorKind::kBadInput, std::move(message)); }

// A field of a record, by the name that it has there.
struct Field {
  const Json& line;
  std::string name;

  // Nothing where it is missing, null or an empty cell.
  const Json* value() const {
    const auto found = line.find(name);
    if (found == line.end() || found->is_null()) return nullptr;
    const bool blank = found->is_string() && found->get_ref<const std::string&>().empty();
    return blank ? nullptr : &*found;
  }
};

Result<std::optional<double>> number_of(const Field& field) {
  const Json* value = field.value();
  if (value == nullptr) return std::optional<double>();
  const auto number = plumb::number_of(*value);
  if (!number || !std::isfinite(*number)) {
    return bad(fmt::format("\"{}\" is not a number", field.name));
  }
  return number;
}

Result<std::optional<std::size_t>> count_of(const Field& field) {
  PLUMB_TRY(number, number_of(field));
  if (!number) return std::optional<std::size_t>();
  if (*number < 0 || *number != std::floor(*number) || *number > 1e15) {
    return bad(fmt::format("\"{}\" is not a whole number from 0 on", field.name));
  }
  return std::optional(static_cast<std::size_t>(*number));
}

Result<std::optional<bool>> flag_of(const Field& field) {
  const Json* value = field.value();
  if (value == nullptr) return std::optional<bool>();
  if (value->is_boolean()) return std::optional(value->get<bool>());
  for (const char* word : {"true", "True"}) {
    if (*value == word) return std::optional(true);
  }
  for (const char* word : {"false", "False"}) {
    if (*value == word) return std::optional(false);
  }
  return bad(fmt::format("\"{}\" is neither true nor false", field.name));
}

std::string names_of(const Json& line) {
  std::vector<std::string> names;
  for (const auto& [name, value] : line.items()) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<std::size_t> step_of(const Field& field, const SampleFields& fields) {
  if (fields.step) return *fields.step;
  PLUMB_TRY(step, count_of(field));
  if (step) return *step;
  return bad(fmt::format("\"{}\" is missing; there are {}", field.name, names_of(field.line)));
}

Result<std::string> text_of(const Field& field) {
  if (!field.line.contains(field.name)) {
    return bad(fmt::format("\"{}\" is missing; there are {}", field.name, names_of(field.line)));
  }
  PLUMB_TRY(conversation, parse_conversation(field.line, field.name.c_str()));
  return plain_text(conversation);
}

Result<Sample> parse_sample(const Json& line, const SampleFields& fields) {
  const auto field = [&](const char* name) { return Field{line, fields.of(name)}; };
  Sample sample;
  PLUMB_TRY(step, step_of(field("step"), fields));
  sample.step = step;
  const std::pair<const char*, std::string*> texts[] = {{"prompt", &sample.prompt},
                                                        {"completion", &sample.completion}};
  for (const auto& [name, target] : texts) {
    PLUMB_TRY(value, text_of(field(name)));
    *target = std::move(value);
  }
  PLUMB_TRY(tokens, count_of(field("tokens")));
  sample.tokens = tokens;
  PLUMB_TRY(ended, flag_of(field("ended")));
  sample.ended = ended;
  const std::pair<const char*, std::optional<double>*> numbers[] = {
      {"proxy", &sample.proxy},
      {"gold", &sample.gold},
      {"kl", &sample.kl},
      {"log_probability", &sample.log_probability},
      {"reference_log_probability", &sample.reference_log_probability}};
  for (const auto& [name, target] : numbers) {
    PLUMB_TRY(value, number_of(field(name)));
    *target = value;
  }
  if (sample.kl && *sample.kl < 0) {
    return bad(fmt::format("\"{}\", an exact divergence, is below 0", fields.of("kl")));
  }
  const std::pair<const char*, const std::optional<double>*> logs[] = {
      {"log_probability", &sample.log_probability},
      {"reference_log_probability", &sample.reference_log_probability}};
  for (const auto& [name, value] : logs) {
    if (!*value || **value <= kRounding) continue;
    return bad(
        fmt::format("\"{}\", the logarithm of a probability, is above 0; give nats, not "
                    "their negative",
                    fields.of(name)));
  }
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

std::string SampleFields::of(const std::string& field) const {
  const auto found = names.find(field);
  return found == names.end() ? field : found->second;
}

std::filesystem::path samples_file(const std::filesystem::path& run) {
  std::error_code ignored;
  return std::filesystem::is_directory(run, ignored) ? run / "samples.jsonl" : run;
}

Result<SampleReader> SampleReader::open(const std::filesystem::path& file, SampleFields fields) {
  PLUMB_TRY(records, RecordReader::open(file.string(), {.format = fields.format}));
  if (auto known = check_names(file, fields); !known) return tl::unexpected(known.error());
  return SampleReader(std::move(records), std::move(fields));
}

Result<std::optional<Sample>> SampleReader::next() {
  PLUMB_TRY(record, records_.next());
  if (!record) return std::nullopt;
  auto sample = parse_sample(record->fields, fields_);
  if (!sample) return bad(fmt::format("{}: {}", record->where, sample.error().message));
  return std::optional(std::move(*sample));
}

Result<std::vector<Sample>> read_samples(const std::filesystem::path& file,
                                         const Progress& progress) {
  PLUMB_TRY(reader, SampleReader::open(file));
  std::vector<Sample> samples;
  while (true) {
    PLUMB_TRY(sample, reader.next());
    if (!sample) break;
    samples.push_back(std::move(*sample));
    if (progress) progress(reader.lines().bytes_read(), reader.lines().bytes_total());
  }
  if (samples.empty()) return bad(fmt::format("{}: holds no samples", file.string()));
  return samples;
}

}  // namespace plumb::rlhf
