#include "plumb/evals/judges/judge.h"

#include <fmt/format.h>

#include <array>
#include <mutex>

#include "plumb/base/parallel.h"
#include "plumb/base/utf8.h"
#include "plumb/raters/remote/chat.h"
#include "plumb/raters/remote/first_error.h"
#include "plumb/raters/remote/remote_spec.h"

namespace plumb::evals {
namespace {

constexpr std::string_view kRefusal = "I'm sorry, but I can't help with that.";
constexpr std::string_view kConstant = "Yes.";

class LengthJudge : public Judge {
 public:
  LengthJudge(std::string name, bool longest) : name_(std::move(name)), longest_(longest) {}

  const std::string& name() const override { return name_; }

  Result<std::vector<Judgement>> compare(std::span<const TextPair> pairs,
                                         const Progress& /*progress*/) override {
    std::vector<Judgement> judgements;
    for (const TextPair& pair : pairs) {
      const std::size_t own = count_characters(pair.output);
      const std::size_t other = count_characters(pair.reference);
      const double preference = own == other ? 0.5 : (own > other) == longest_ ? 1 : 0;
      judgements.push_back({static_cast<std::uint32_t>(judgements.size()), preference, false});
    }
    return judgements;
  }

 private:
  std::string name_;
  bool longest_;
};

std::string question(const TextPair& pair, bool model_first) {
  const std::string& a = model_first ? pair.output : pair.reference;
  const std::string& b = model_first ? pair.reference : pair.output;
  return fmt::format(
      "Two assistants answered the same request. Judge which answer serves the person who asked "
      "better: is it right, to the point, complete and harmless? The order of the answers and "
      "their length must not matter. End with [[A]] if answer A is better, [[B]] if answer B is, "
      "and [[C]] if they are equally good.\n\n[Request]\n{}\n\n[Answer A]\n{}\n[End of answer "
      "A]\n\n[Answer B]\n{}\n[End of answer B]",
      pair.prompt, a, b);
}

class ChatJudge : public Judge {
 public:
  ChatJudge(std::string name, std::unique_ptr<raters::Chat> chat, int concurrency)
      : name_(std::move(name)), chat_(std::move(chat)), concurrency_(concurrency) {}

  const std::string& name() const override { return name_; }
  Result<std::vector<Judgement>> compare(std::span<const TextPair> pairs,
                                         const Progress& progress) override;

 private:
  Result<Judgement> ask(const TextPair& pair, std::uint32_t item, bool model_first,
                        const std::stop_token& stop) const;

  std::string name_;
  std::unique_ptr<raters::Chat> chat_;
  int concurrency_;
};

Result<Judgement> ChatJudge::ask(const TextPair& pair, std::uint32_t item, bool model_first,
                                 const std::stop_token& stop) const {
  const raters::ChatQuestion asked{
      .place = "judge",
      .messages = Json::array({{{"role", "user"}, {"content", question(pair, model_first)}}})};
  PLUMB_TRY(reply, chat_->ask(asked, stop));
  const auto verdict = reply ? read_verdict(reply->content) : std::nullopt;
  const double for_a = verdict.value_or(0.5);
  return Judgement{item, model_first ? for_a : 1 - for_a, model_first};
}

Result<std::vector<Judgement>> ChatJudge::compare(std::span<const TextPair> pairs,
                                                  const Progress& progress) {
  std::vector<Judgement> judgements(2 * pairs.size());
  raters::FirstError first;
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(judgements.size(), 1, concurrency_, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end && !first.reported(); ++j) {
      auto one = ask(pairs[j / 2], static_cast<std::uint32_t>(j / 2), j % 2 == 0, first.token());
      if (!one) return first.report(one.error());
      judgements[j] = *one;
      if (!progress) continue;
      const std::scoped_lock lock(mutex);
      progress(++done, judgements.size());
    }
  });
  if (auto failed = first.result(); !failed) return tl::unexpected(failed.error());
  return judgements;
}

}  // namespace

std::optional<double> read_verdict(std::string_view reply) {
  constexpr std::array<std::pair<std::string_view, double>, 3> kVerdicts = {
      {{"[[A]]", 1.0}, {"[[B]]", 0.0}, {"[[C]]", 0.5}}};
  std::optional<double> verdict;
  std::size_t last = 0;
  for (const auto& [mark, value] : kVerdicts) {
    const std::size_t at = reply.rfind(mark);
    if (at == std::string_view::npos || (verdict && at < last)) continue;
    verdict = value;
    last = at;
  }
  return verdict;
}

Result<std::unique_ptr<Judge>> open_judge(const std::string& name, const JudgeOptions& options) {
  if (name == "longest" || name == "shortest") {
    return std::make_unique<LengthJudge>(name, name == "longest");
  }
  if (!raters::is_remote(name)) {
    return fail(ErrorKind::kNotFound,
                fmt::format("there is no judge \"{}\": longest, shortest, or the address of a chat "
                            "server, http://HOST:PORT/v1#MODEL",
                            name));
  }
  PLUMB_TRY(spec, raters::parse_remote_spec(name));
  PLUMB_TRY(chat, raters::Chat::make(spec, {.http = options.http, .log = options.log}));
  return std::make_unique<ChatJudge>(name, std::move(chat), options.concurrency);
}

std::vector<std::pair<std::string, std::vector<TextPair>>> trivial_opponents(
    std::span<const TextPair> pairs) {
  std::vector<std::pair<std::string, std::vector<TextPair>>> opponents;
  const auto add = [&](const char* name, auto output_of) {
    std::vector<TextPair> changed(pairs.begin(), pairs.end());
    for (TextPair& pair : changed) pair.output = output_of(pair);
    opponents.emplace_back(name, std::move(changed));
  };
  const auto longer = [](const TextPair& pair) {
    return count_characters(pair.output) > count_characters(pair.reference);
  };
  add("null", [](const TextPair&) { return std::string(); });
  add("constant", [](const TextPair&) { return std::string(kConstant); });
  add("always-refuse", [](const TextPair&) { return std::string(kRefusal); });
  add("longest", [&](const TextPair& p) { return longer(p) ? p.output : p.reference; });
  add("shortest", [&](const TextPair& p) { return longer(p) ? p.reference : p.output; });
  return opponents;
}

}  // namespace plumb::evals
