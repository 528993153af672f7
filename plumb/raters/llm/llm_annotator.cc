#include "plumb/raters/llm/llm_annotator.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "plumb/base/hash.h"
#include "plumb/base/parallel.h"
#include "plumb/raters/llm/llm_prompt.h"
#include "plumb/raters/remote/chat.h"
#include "plumb/raters/remote/first_error.h"

namespace plumb::raters {
namespace {

using tasks::AnswerSheet;
using tasks::Kind;
using tasks::Task;

// A question of a run about one item, or about the texts of a round, and what became of it.
struct Job {
  std::string id = {};
  int run = 0;
  LlmQuestion question = {};
  LlmAnswer answer = {};
  bool too_long = false, asked_again = false;
};

using Read = std::function<LlmAnswer(std::string_view reply)>;

// Enough tokens for a reply in the form: a token has at least one byte.
int tokens_for(const Task& task, const LlmQuestion& question) {
  std::size_t longest_label = 0;
  for (const std::string& label : task.labels) {
    longest_label = std::max(longest_label, label.size());
  }
  const bool lines = task.kind == Kind::kClustering || task.kind == Kind::kReranking;
  return static_cast<int>(lines ? 64 + 24 * question.lines : 32 + longest_label);
}

// kBadInput: two labels differ in the blanks around them alone, so that no answer tells them apart.
Result<void> check_labels(const Task& task) {
  if (task.kind != Kind::kClassification) return {};
  for (std::size_t i = 0; i < task.labels.size(); ++i) {
    const LlmAnswer read = read_item(task, {}, task.labels[i]);
    if (read.outcome == LlmOutcome::kAnswered && read.answer[0] == static_cast<double>(i)) continue;
    return fail(ErrorKind::kBadInput,
                fmt::format("task \"{}\": the label \"{}\" cannot be told from another one in an "
                            "answer; labels differ in more than blanks",
                            task.name, task.labels[i]));
  }
  return {};
}

class LlmAnnotator : public tasks::Rater {
 public:
  LlmAnnotator(RemoteSpec spec, LlmOptions options, std::unique_ptr<Chat> chat)
      : spec_(std::move(spec)), options_(std::move(options)), chat_(std::move(chat)) {}

  const std::string& name() const override { return spec_.model; }
  tasks::RaterKind kind() const override { return tasks::RaterKind::kLlm; }

  Result<std::vector<AnswerSheet>> answer(const Task& task,
                                          const tasks::RateOptions& options) override;

 private:
  using Step = std::function<void(std::size_t items)>;

  // The jobs of all runs, run by run.
  Result<std::vector<Job>> ask_items(const Task& task, std::uint64_t seed, const Step& step);
  Result<std::vector<Job>> ask_rounds(const Task& task, std::uint64_t seed, const Step& step);
  Result<std::vector<Job>> ask_rounds_of(const Task& task, int run, std::uint64_t seed,
                                         const Step& step, const std::stop_token& stop);

  // Asks, and once more where that is wanted.
  Result<void> settle(const Task& task, Job& job, std::uint64_t seed, const Read& read,
                      const std::stop_token& stop);

  AnswerSheet sheet_of(const Task& task, int run, std::uint64_t seed,
                       const std::vector<Job>& jobs) const;

  RemoteSpec spec_;
  LlmOptions options_;
  std::unique_ptr<Chat> chat_;
};

Result<void> LlmAnnotator::settle(const Task& task, Job& job, std::uint64_t seed, const Read& read,
                                  const std::stop_token& stop) {
  Json messages = Json::array({{{"role", "user"}, {"content", job.question.prompt}}});
  for (int attempt = 0;; ++attempt) {
    const auto turn = 2 * static_cast<std::uint64_t>(job.run) + static_cast<std::uint64_t>(attempt);
    const ChatQuestion question = {
        .place = {{"item", job.id}, {"run", job.run}, {"attempt", attempt}},
        .messages = messages,
        .seed = Stream(seed, "llm request/" + job.id, turn).next() >> 33,
        .max_tokens = options_.max_tokens.value_or(tokens_for(task, job.question)),
        .notes = {{"task", task.name}, {"order", job.question.order}}};
    PLUMB_TRY(reply, chat_->ask(question, stop));
    job.too_long = !reply.has_value();
    if (!reply) return {};
    job.answer = {};
    if (reply->refused) {
      job.answer.outcome = LlmOutcome::kRefused;
    } else if (!reply->cut_short) {
      job.answer = read(reply->content);
    }
    if (job.answer.outcome != LlmOutcome::kUnreadable || !options_.ask_again || attempt > 0) {
      return {};
    }
    job.asked_again = true;
    if (reply->content.empty()) continue;
    messages.push_back({{"role", "assistant"}, {"content", reply->content}});
    messages.push_back(
        {{"role", "user"},
         {"content", "That answer has not the form that was asked for. " + job.question.form}});
  }
}

tl::unexpected<Error> at_item(const std::string& id, const Error& error) {
  return fail(error.kind, fmt::format("item \"{}\": {}", id, error.message));
}

Result<std::vector<Job>> LlmAnnotator::ask_items(const Task& task, std::uint64_t seed,
                                                 const Step& step) {
  const std::size_t items = task.items.size();
  std::vector<Job> jobs(items * static_cast<std::size_t>(options_.runs));
  FirstError first;
  parallel_for(jobs.size(), 1, options_.concurrency, [&](std::size_t place, std::size_t) {
    if (first.reported()) return;
    Job& job = jobs[place];
    job.id = task.items[place % items].id;
    job.run = static_cast<int>(place / items);
    Stream order(seed, "llm order/" + job.id, static_cast<std::uint64_t>(job.run));
    job.question = ask_item(task, place % items, order);
    const auto read = [&](std::string_view reply) { return read_item(task, job.question, reply); };
    const auto settled = settle(task, job, seed, read, first.token());
    if (!settled) return first.report(at_item(job.id, settled.error()).value());
    step(1);
  });
  if (auto failed = first.result(); !failed) return tl::unexpected(failed.error());
  return jobs;
}

// Each round knows the groups of those before it.
Result<std::vector<Job>> LlmAnnotator::ask_rounds_of(const Task& task, int run, std::uint64_t seed,
                                                     const Step& step,
                                                     const std::stop_token& stop) {
  Stream order(seed, "llm order", static_cast<std::uint64_t>(run));
  LlmGroups groups;
  std::vector<Job> jobs;
  for (const auto& places : cluster_rounds(task, options_.texts_per_request, order)) {
    Job& job = jobs.emplace_back();
    job.id = fmt::format("round {}", jobs.size());
    job.run = run;
    job.question = ask_round(task, places, groups);
    const auto read = [&](std::string_view reply) {
      return read_round(task, job.question, reply, groups);
    };
    const auto settled = settle(task, job, seed, read, stop);
    if (!settled) return at_item(job.id, settled.error());
    step(places.size());
  }
  return jobs;
}

Result<std::vector<Job>> LlmAnnotator::ask_rounds(const Task& task, std::uint64_t seed,
                                                  const Step& step) {
  std::vector<std::vector<Job>> by_run(static_cast<std::size_t>(options_.runs));
  FirstError first;
  parallel_for(by_run.size(), 1, options_.concurrency, [&](std::size_t run, std::size_t) {
    if (first.reported()) return;
    auto jobs = ask_rounds_of(task, static_cast<int>(run), seed, step, first.token());
    if (!jobs) return first.report(jobs.error());
    by_run[run] = std::move(*jobs);
  });
  if (auto failed = first.result(); !failed) return tl::unexpected(failed.error());
  std::vector<Job> all;
  for (std::vector<Job>& jobs : by_run)
    std::move(jobs.begin(), jobs.end(), std::back_inserter(all));
  return all;
}

struct Tally {
  std::size_t answered = 0, refused = 0, unreadable = 0, too_long = 0, asked_again = 0, swapped = 0;

  void add(const Job& job) {
    const std::size_t items = job.question.items.size();
    const bool known = !job.too_long;
    if (job.too_long) too_long += items;
    if (known && job.answer.outcome == LlmOutcome::kAnswered) answered += items;
    if (known && job.answer.outcome == LlmOutcome::kRefused) refused += items;
    if (known && job.answer.outcome == LlmOutcome::kUnreadable) unreadable += items;
    if (job.asked_again) ++asked_again;
    if (job.question.order == std::vector<std::size_t>{1, 0}) ++swapped;
  }

  Json json() const {
    return {{"answered", answered}, {"refused", refused},         {"unreadable", unreadable},
            {"too_long", too_long}, {"asked_again", asked_again}, {"swapped", swapped}};
  }
};

// Gives the items of a job their answers.
void fill_in(const Task& task, const Job& job, AnswerSheet& sheet) {
  if (job.too_long || job.answer.outcome != LlmOutcome::kAnswered) return;
  const auto& items = job.question.items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    sheet.answers[items[i]] =
        task.kind == Kind::kClustering ? tasks::Answer{job.answer.answer[i]} : job.answer.answer;
  }
}

AnswerSheet LlmAnnotator::sheet_of(const Task& task, int run, std::uint64_t seed,
                                   const std::vector<Job>& jobs) const {
  AnswerSheet sheet;
  sheet.rater = name();
  sheet.kind = kind();
  sheet.run = run;
  sheet.answers.resize(task.items.size());
  Tally tally;
  std::string prompts;
  for (const Job& job : jobs) {
    if (job.run != run) continue;
    tally.add(job);
    prompts += job.question.prompt;
    fill_in(task, job, sheet);
  }
  sheet.refused = tally.refused + tally.unreadable + tally.too_long;
  Json& from = sheet.provenance;
  from = {{"protocol", "chat completions"},
          {"model", spec_.model},
          {"address", spec_.address.text()},
          {"instruction", instruction_source(task)},
          {"seed", seed},
          {"temperature", options_.temperature},
          {"seed_sent", options_.send_seed},
          {"asks_again", options_.ask_again}};
  if (options_.max_tokens) from["max_tokens"] = *options_.max_tokens;
  if (task.kind == Kind::kClustering) {
    from["texts_per_request"] = options_.texts_per_request;
  } else {
    from["prompt_head"] = prompt_head(task);
  }
  from["prompts_sha256"] = sha256(prompts);
  from["counts"] = tally.json();
  if (chat_->damaged_records() > 0) from["damaged_records"] = chat_->damaged_records();
  return sheet;
}

Result<std::vector<AnswerSheet>> LlmAnnotator::answer(const Task& task,
                                                      const tasks::RateOptions& options) {
  if (auto checked = check_labels(task); !checked) return tl::unexpected(checked.error());
  std::atomic<std::size_t> done{0};
  const std::size_t total = task.items.size() * static_cast<std::size_t>(options_.runs);
  const Step step = [&](std::size_t items) {
    const std::size_t so_far = done += items;
    if (options.progress) options.progress(so_far, total);
  };
  PLUMB_TRY(jobs, task.kind == Kind::kClustering ? ask_rounds(task, options.seed, step)
                                                 : ask_items(task, options.seed, step));
  std::vector<AnswerSheet> sheets;
  for (int run = 0; run < options_.runs; ++run) {
    sheets.push_back(sheet_of(task, run, options.seed, jobs));
  }
  return sheets;
}

}  // namespace

Result<std::unique_ptr<tasks::Rater>> make_llm_annotator(const RemoteSpec& spec,
                                                         LlmOptions options) {
  const auto usage = [](std::string message) {
    return fail(ErrorKind::kUsage, std::move(message));
  };
  if (options.log.empty()) return usage("a language model needs a file for its replies");
  if (options.runs < 1) return usage("a language model answers in 1 run at least");
  if (options.concurrency < 1) return usage("1 request at least must be under way");
  PLUMB_TRY(chat, Chat::make(spec, {.http = options.http,
                                    .log = options.log,
                                    .temperature = options.temperature,
                                    .send_seed = options.send_seed}));
  options.http.api_key.clear();  // the client alone has it
  return std::make_unique<LlmAnnotator>(spec, std::move(options), std::move(chat));
}

}  // namespace plumb::raters
