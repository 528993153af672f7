#include "plumb/rlhf/policy/prompts.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "plumb/base/hash.h"
#include "plumb/base/random.h"
#include "plumb/lm/documents.h"
#include "plumb/rlhf/preferences/conversation.h"
#include "plumb/text/json_line.h"
#include "plumb/text/lines.h"
#include "plumb/text/records.h"

namespace plumb::rlhf {
namespace {

struct Text {
  std::string where, text;
};

Result<Prompt> encode_prompt(const Text& text, const lm::LanguageModel& model) {
  const auto refused = [&](const std::string& why) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: {}", text.where, why));
  };
  auto ids = model.encode(text.text);
  if (!ids) return refused(ids.error().message);
  const std::size_t context = model.transformer.config().context;
  if (ids->size() >= context) {
    return refused(fmt::format(
        "the prompt has {} tokens, and the model's context of {} leaves no room to complete it",
        ids->size(), context));
  }
  return Prompt{text.text, std::move(*ids)};
}

Result<std::vector<Prompt>> encode_all(std::span<const Text> texts,
                                       const lm::LanguageModel& model) {
  std::vector<Prompt> prompts;
  std::set<std::string_view> seen;
  for (const Text& text : texts) {
    if (!seen.insert(text.text).second) continue;
    PLUMB_TRY(prompt, encode_prompt(text, model));
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

// Whether the file holds records; else it holds texts. kBadInput: a JSON array.
Result<bool> holds_records(const std::filesystem::path& file) {
  if (!table_format(file.string()).empty()) return true;
  PLUMB_TRY(lines, LineReader::open(file));
  while (true) {
    PLUMB_TRY(line, lines.next());
    if (!line) return false;
    const std::size_t at = line->find_first_not_of(" \t");
    if (at == std::string_view::npos) continue;
    if (!begins_array(*line)) return (*line)[at] == '{';
    return fail(
        ErrorKind::kBadInput,
        fmt::format("{}: a JSON array; prompts are lines of {{\"prompt\": \"...\"}}, as jq -c "
                    "'.[]' FILE writes objects and jq -c '.[] | {{prompt: .}}' FILE texts",
                    lines.where()));
  }
}

Result<std::vector<Text>> read_records_of(const std::filesystem::path& file) {
  const std::string table = table_format(file.string());
  PLUMB_TRY(records,
            RecordReader::open(file.string(), {.format = table.empty() ? "jsonl" : table}));
  std::vector<Text> texts;
  while (true) {
    PLUMB_TRY(record, records.next());
    if (!record) return texts;
    const auto conversation = parse_conversation(record->fields, "prompt");
    if (!conversation) {
      return fail(ErrorKind::kBadInput,
                  fmt::format("{}: {}", record->where, conversation.error().message));
    }
    texts.push_back({record->where, plain_text(*conversation)});
  }
}

Result<std::vector<Text>> read_beginnings(const std::filesystem::path& file, std::size_t words) {
  PLUMB_TRY(documents, lm::read_documents(file));
  std::vector<Text> texts;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    texts.push_back(
        {fmt::format("{}: text {}", file.string(), i + 1), first_words(documents[i], words)});
  }
  return texts;
}

}  // namespace

std::string first_words(const std::string& text, std::size_t words) {
  constexpr const char* kBlanks = " \t\r\n";
  std::size_t end = 0;
  for (std::size_t i = 0; i < words; ++i) {
    const std::size_t begin = text.find_first_not_of(kBlanks, end);
    if (begin == std::string::npos) return text;
    end = std::min(text.find_first_of(kBlanks, begin), text.size());
  }
  return words == 0 ? text : text.substr(0, end);
}

Result<std::vector<Prompt>> read_prompts(const std::filesystem::path& file,
                                         const lm::LanguageModel& model,
                                         const PromptOptions& options) {
  bool records = false;
  if (file != "-") {
    PLUMB_TRY(held, holds_records(file));
    records = held;
  }
  PLUMB_TRY(texts, records ? read_records_of(file) : read_beginnings(file, options.words));
  PLUMB_TRY(prompts, encode_all(texts, model));
  if (prompts.empty()) {
    return fail(ErrorKind::kBadInput, fmt::format("{}: holds no prompts", file.string()));
  }
  return prompts;
}

Result<std::vector<Prompt>> encode_prompts(std::span<const std::string> texts,
                                           const std::string& name,
                                           const lm::LanguageModel& model) {
  std::vector<Text> named;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    named.push_back({fmt::format("{}: prompt {}", name, i + 1), texts[i]});
  }
  return encode_all(named, model);
}

PromptSplit hold_out(std::vector<Prompt> prompts, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), 0);
  Stream stream(seed, "held-out prompts", 0);
  shuffle(std::span(order), stream);
  count = std::min(count, prompts.size() - 1);
  std::vector<bool> held(prompts.size());
  for (std::size_t i = 0; i < count; ++i) held[order[i]] = true;
  PromptSplit split;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    (held[i] ? split.held_out : split.training).push_back(std::move(prompts[i]));
  }
  return split;
}

std::string prompts_hash(std::span<const Prompt> prompts) {
  Json texts = Json::array();
  for (const Prompt& prompt : prompts) texts.push_back(prompt.text);
  return sha256(to_text(texts));
}

std::vector<std::size_t> prompts_of_step(std::size_t prompts, std::size_t count, std::size_t step,
                                         std::uint64_t seed) {
  std::vector<std::size_t> order(prompts), chosen;
  std::size_t shuffled = ~std::size_t{0};
  for (std::size_t draw = step * count; draw < (step + 1) * count; ++draw) {
    const std::size_t epoch = draw / prompts;
    if (epoch != shuffled) {
      std::iota(order.begin(), order.end(), 0);
      Stream stream(seed, "prompts", epoch);
      shuffle(std::span(order), stream);
      shuffled = epoch;
    }
    chosen.push_back(order[draw % prompts]);
  }
  return chosen;
}

}  // namespace plumb::rlhf
