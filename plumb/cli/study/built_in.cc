#include "plumb/cli/study/built_in.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "plumb/raters/baselines.h"
#include "plumb/raters/embedders/open_embedder.h"
#include "plumb/raters/embedding_rater.h"
#include "plumb/study/create.h"
#include "plumb/study/review/models.h"
#include "plumb/tasks/codec.h"

extern const char plumb_demo_sentences_en_begin[], plumb_demo_sentences_en_end[];
extern const char plumb_demo_feedback_de_begin[], plumb_demo_feedback_de_end[];
extern const char plumb_demo_sentences_ar_begin[], plumb_demo_sentences_ar_end[];
extern const char plumb_demo_topics_en_begin[], plumb_demo_topics_en_end[];
extern const char plumb_demo_answers_de_begin[], plumb_demo_answers_de_end[];
extern const char plumb_demo_replies_en_begin[], plumb_demo_replies_en_end[];

namespace plumb::cli {
namespace {

constexpr const char* kStudyName = "Be the first human";
constexpr int kVisitors = 50;

Result<void> ask(tasks::Rater& rater, const tasks::Task& task,
                 std::vector<tasks::AnswerSheet>& sheets) {
  PLUMB_TRY(made, rater.answer(task, {}));
  for (tasks::AnswerSheet& sheet : made) sheets.push_back(std::move(sheet));
  return {};
}

Result<tasks::Task> parse_task(std::string_view text) {
  PLUMB_TRY(task,
            tasks::parse_header(Json::parse(text.substr(0, text.find('\n')), nullptr, false)));
  text.remove_prefix(text.find('\n') + 1);
  while (!text.empty()) {
    const Json json = Json::parse(text.substr(0, text.find('\n')), nullptr, false);
    text.remove_prefix(text.find('\n') + 1);
    PLUMB_TRY(item, tasks::parse_item(task, json));
    (json.value("split", "") == "train" ? task.train : task.items).push_back(std::move(item));
  }
  return std::move(task);
}

}  // namespace

Result<std::vector<tasks::AnswerSheet>> built_in_answers(const tasks::Task& task) {
  std::vector<tasks::AnswerSheet> sheets;
  const bool untrained = task.kind == tasks::Kind::kClassification && task.train.empty();
  for (const char* model : {"bm25", "tfidf", "char-ngrams"}) {
    if (untrained) break;
    PLUMB_TRY(embedder, raters::open_embedder(model, {.task = &task}));
    raters::EmbeddingRater rater(std::move(embedder), {});
    if (auto asked = ask(rater, task, sheets); !asked) return tl::unexpected(asked.error());
  }
  for (const auto& baseline : raters::baselines_of(task)) {
    if (auto asked = ask(*baseline, task, sheets); !asked) return tl::unexpected(asked.error());
  }
  return sheets;
}

Result<std::vector<tasks::Task>> demo_tasks() {
  std::vector<tasks::Task> tasks;
  using Bytes = std::pair<const char*, const char*>;
  for (const auto& [begin, end] :
       {Bytes(plumb_demo_sentences_en_begin, plumb_demo_sentences_en_end),
        Bytes(plumb_demo_feedback_de_begin, plumb_demo_feedback_de_end),
        Bytes(plumb_demo_sentences_ar_begin, plumb_demo_sentences_ar_end),
        Bytes(plumb_demo_topics_en_begin, plumb_demo_topics_en_end),
        Bytes(plumb_demo_answers_de_begin, plumb_demo_answers_de_end),
        Bytes(plumb_demo_replies_en_begin, plumb_demo_replies_en_end)}) {
    PLUMB_TRY(task, parse_task({begin, static_cast<std::size_t>(end - begin)}));
    tasks.push_back(std::move(task));
  }
  return tasks;
}

Result<study::Study> demo_study(study::Store& store) {
  if (auto known = study::Study::open(store, kStudyName)) return known;
  PLUMB_TRY(tasks, demo_tasks());
  PLUMB_TRY(made,
            study::create_study(store, {.name = kStudyName, .tasks = tasks, .overlap = kVisitors}));
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    PLUMB_TRY(sheets, built_in_answers(tasks[t]));
    auto attached = study::attach_models(made, made.tasks()[t], tasks[t], sheets, "plumb");
    if (!attached) return tl::unexpected(attached.error());
  }
  return std::move(made);
}

}  // namespace plumb::cli
