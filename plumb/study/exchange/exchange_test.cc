// Answers out of a study and into one, in plumb's form and in others'.
#include <gtest/gtest.h>

#include <fstream>

#include "plumb/base/files.h"
#include "plumb/study/exchange/export.h"
#include "plumb/study/exchange/import.h"
#include "plumb/study/testing.h"
#include "plumb/tasks/answers_file.h"
#include "plumb/text/csv.h"

namespace plumb::study {
namespace {

using tasks::Kind;
using testing::some_task;

class Exchange : public ::testing::Test {
 protected:
  Exchange()
      : store_(*Store::open(folder_ / "studio.db",
                            {.mode = Store::Mode::kCreate, .clock = [this] { return now_; }})) {}

  Study make(const std::string& name, tasks::Task task, int overlap = 2) {
    return *create_study(*store_, {.name = name, .tasks = {std::move(task)}, .overlap = overlap});
  }

  // Two people answer everything.
  void answer_all(const Study& study) {
    for (const char* name : {"R1", "=R2"}) {
      const auto annotator = study.enroll(name, tasks::RaterKind::kPerson)->id;
      while (auto served = study.next(annotator)->served) {
        now_ += 1500;
        ASSERT_TRUE(study.submit(annotator, {.slot = served->slot,
                                             .key = fmt::format("{}", served->slot),
                                             .answer = testing::some_answer(*served, stream_),
                                             .based_on = {},
                                             .flagged = served->slot % 3 == 0,
                                             .comment = served->slot % 4 == 0 ? "=1+1, \"hm\"" : "",
                                             .timing = {.active_ms = 900, .idle_ms = 10}}));
      }
    }
  }

  static std::string exported(const Study& study) {
    std::string bytes;
    const auto lines = export_answers(study, study.tasks().front(), [&](std::string_view part) {
      bytes += part;
      return Result<void>();
    });
    EXPECT_TRUE(lines) << lines.error().message;
    return bytes;
  }
  static std::string csv(const Study& study, bool history = false) {
    std::string bytes;
    EXPECT_TRUE(export_csv(study, history, [&](std::string_view part) {
      bytes += part;
      return Result<void>();
    }));
    return bytes;
  }

  // Everything but how the options were shown, which no other study repeats.
  static std::string without_presentation(const std::string& lines) {
    std::istringstream in(lines);
    std::string out;
    for (std::string line; std::getline(in, line);) {
      Json json = Json::parse(line);
      json.erase("presented");
      out += to_text(json) + "\n";
    }
    return out;
  }

  std::filesystem::path file(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  Result<ImportCounts> import(const Study& study, const std::string& name, const std::string& bytes,
                              const ReadOptions& options = {}) {
    return import_answers(study, study.tasks().front(), file(name, bytes), options);
  }

  // Expects kBadInput with these words, and that nothing was imported.
  void expect_refused(const Study& study, const std::string& bytes, const std::string& words,
                      const ReadOptions& options = {}) {
    const auto counts = import(study, "bad.jsonl", bytes, options);
    ASSERT_FALSE(counts) << words;
    EXPECT_EQ(counts.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(counts.error().message.find(words), std::string::npos) << counts.error().message;
    EXPECT_EQ(testing::count_of(*store_, "SELECT COUNT(*) FROM answers"), 0);
    EXPECT_EQ(testing::count_of(*store_, "SELECT COUNT(*) FROM annotators"), 0);
  }

  testing::Folder folder_;
  std::int64_t now_ = 1'772'366'400'250;  // 2026-03-01T12:00:00.250Z
  std::unique_ptr<Store> store_;
  Stream stream_{9, "answers", 0};
};

TEST_F(Exchange, AnExportIsReadAsAnswerSheetsOfTheTask) {
  for (const Kind kind : tasks::kKinds) {
    const tasks::Task task = some_task(kind, 7);
    const Study study = make(std::string(kind_name(kind)), task);
    answer_all(study);
    const auto sheets = tasks::read_answers(file("answers.jsonl", exported(study)), task);
    ASSERT_TRUE(sheets) << sheets.error().message;
    ASSERT_EQ(sheets->size(), 2U);
    for (const tasks::AnswerSheet& sheet : *sheets) {
      EXPECT_EQ(sheet.answered(), 7U) << kind_name(kind);
      EXPECT_EQ(sheet.kind, tasks::RaterKind::kPerson);
    }
  }
}

TEST_F(Exchange, AnExportSaysWhoWhenAndUnderWhichGuidelines) {
  const Study study = make("demo", some_task(Kind::kSts, 3), 1);
  const auto annotator = study.enroll("R1", tasks::RaterKind::kPerson)->id;
  const Served served = *study.next(annotator)->served;
  ASSERT_TRUE(study.submit(annotator, {served.slot, "k", {{"rating", 3}}}));
  const std::string lines = exported(study);
  const Json line = Json::parse(lines.substr(lines.find('\n') + 1));
  EXPECT_EQ(to_text(line),
            fmt::format(R"({{"rater":"R1","kind":"person","item":"{}","rating":3.0,"guideline":1,)"
                        R"("revision":1,"at":"2026-03-01T12:00:00.250Z"}})",
                        served.body["id"].get<std::string>()));
}

TEST_F(Exchange, WhatIsExportedAndImportedIsExportedAlike) {
  for (const Kind kind : tasks::kKinds) {
    const std::string name(kind_name(kind));
    const Study study = make(name, some_task(kind, 9));
    answer_all(study);
    const std::string lines = exported(study);
    const Study again = make(name + " again", some_task(kind, 9));
    const auto counts = import(again, "answers.jsonl", lines);
    ASSERT_TRUE(counts) << counts.error().message;
    EXPECT_EQ(counts->annotators, 2U);
    EXPECT_EQ(without_presentation(exported(again)), without_presentation(lines)) << name;
    const Study table = make(name + " table", some_task(kind, 9));
    const auto rows = import(table, "answers.csv", csv(study));
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(without_presentation(exported(table)), without_presentation(lines)) << name;
  }
}

TEST_F(Exchange, ATableHasNoFormulasAndTheWholeHistoryIfAsked) {
  const Study study = make("demo", some_task(Kind::kSts, 4), 1);
  answer_all(study);
  const auto annotator = study.annotator("R1")->id;
  ASSERT_TRUE(study.undo(annotator, "undo"));
  const auto rows = *parse_csv(csv(study, true), "table");
  ASSERT_EQ(rows.size(), 1U + 5U);
  EXPECT_EQ(rows[0].fields[0], "task");
  for (const auto& row : rows) {
    for (const std::string& cell : row.fields) EXPECT_FALSE(cell.starts_with('=')) << cell;
  }
  EXPECT_EQ(rows.back().fields[13], "withdraw");
  EXPECT_EQ(parse_csv(csv(study), "table")->size(), 1U + 3U);
}

TEST_F(Exchange, OfATableOfSeveralTasksTheRowsOfTheOneThatIsNamed) {
  tasks::Task emo = some_task(Kind::kSts, 3), sts = some_task(Kind::kSts, 4);
  emo.name = "emo", sts.name = "sts";
  const Study several = *create_study(*store_, {.name = "several", .tasks = {emo, sts}});
  answer_all(several);
  const std::string table = csv(several, true);
  const Study study = make("demo", sts);
  const auto strict = import(study, "answers.csv", table);
  ASSERT_FALSE(strict);
  EXPECT_NE(strict.error().message.find(
                "answers.csv:2: an answer to the task \"emo\", not to \"sts\"; --task sts"),
            std::string::npos)
      << strict.error().message;
  ReadOptions named;
  named.leave_others_out = true;
  const auto counts = import(study, "answers.csv", table, named);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->answers, 4U);
  EXPECT_EQ(counts->of_other_tasks, 3U);
  tasks::Task other = sts;
  other.name = "ot";
  const auto none = import(make("other", other), "answers.csv", table, named);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("answers.csv: no row is of the task \"ot\""),
            std::string::npos)
      << none.error().message;
}

TEST_F(Exchange, PreferencesBecomePairsWithoutTheUndecided) {
  tasks::Task task = some_task(Kind::kPreference, 4);
  const Study study = make("demo", task, 1);
  const auto annotator = study.enroll("R1", tasks::RaterKind::kPerson)->id;
  std::map<std::string, std::string> wanted;
  for (int i = 0; i < 4; ++i) {
    const Served served = *study.next(annotator)->served;
    const char* choices[] = {"A", "B", "tie", "both bad"};
    ASSERT_TRUE(
        study.submit(annotator, {served.slot, fmt::format("{}", i), {{"choice", choices[i]}}}));
    if (i < 2) wanted[served.body["id"]] = served.body[i == 0 ? "a" : "b"];
  }
  std::string bytes;
  const auto counts = export_preferences(study, study.tasks().front(), [&](std::string_view part) {
    bytes += part;
    return Result<void>();
  });
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->pairs, 2U);
  EXPECT_EQ(counts->undecided, 2U);
  std::istringstream lines(bytes);
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line);
    EXPECT_EQ(json["chosen"], wanted.at(json["item"]));
    EXPECT_NE(json["rejected"], json["chosen"]);
    EXPECT_TRUE(json["prompt"].is_string());
  }
}

TEST_F(Exchange, ALineThatDoesNotFitIsNamedAndNothingIsImported) {
  const Study study = make("demo", some_task(Kind::kSts, 3), 1);
  const std::string good = R"({"rater":"R1","item":"i0","rating":1})"
                           "\n";
  expect_refused(study, good + R"({"rater":"R1","item":"i1","rating":9})",
                 "bad.jsonl:2: \"rating\" is 9, off the scale");
  expect_refused(study, good + R"({"rater":"R1","item":"nine","rating":1})",
                 "bad.jsonl:2: the task \"sts\" has no item \"nine\"");
  expect_refused(study, good + good, "bad.jsonl:2: a second answer of \"R1\" to item \"i0\"");
  expect_refused(study, good + R"({"rater":"R2","item":"i0","rating":1})",
                 "bad.jsonl:2: item \"i0\" has no slot left for \"R2\"");
  expect_refused(study, good + R"({"rater":"m","kind":"model","item":"i1","rating":1})",
                 "bad.jsonl:2: a rater of kind \"model\"");
  expect_refused(study, R"({"schema":"plumb.answers/1","items":"abc"})",
                 "bad.jsonl:1: the answers belong to other items");
  expect_refused(study, good + "{\"rater\":", "bad.jsonl:2");
  expect_refused(study, good + R"({"item":"i1","rating":1})",
                 "bad.jsonl:2: it does not say whose answer it is");
  expect_refused(study, R"({"rater;item;rating":"R1;i0;1"})",
                 "bad.jsonl:1: there is no \"item\"; there are rater;item;rating");
  expect_refused(study, "", "there are no answers");
}

TEST_F(Exchange, ArgillasRecordsAreRead) {
  tasks::Task task = some_task(Kind::kClassification, 3);
  const Study study = make("demo", task);
  const std::string nested = R"([
 {"id":"0","fields":{"text":"text 0"},"metadata":{},"suggestions":{},
  "responses":{"label":[{"value":"x","user_id":"u1"},{"value":"y","user_id":"u2"}]},"vectors":{}},
 {"id":"7","fields":{"text":"text 2"},"responses":{"label":[{"value":"z","user_id":"u1"}]}},
 {"id":"8","fields":{"text":"text 1"},"responses":{}}
])";
  const ReadOptions argilla{AnswerFormat::kArgilla, "", ""};
  expect_refused(study, R"([{"id":"0","fields":{"text":"text 0"},
  "responses":{"label":[{"value":"w","user_id":"u1"}]}}])",
                 "bad.jsonl:1: unknown label \"w\"", argilla);
  expect_refused(study, R"([{"id":"0"},{"id":"1"},{"id":2)", "bad.jsonl:1 (record 3): not",
                 argilla);
  expect_refused(study, "[{\"id\":\"0\"},\n{\"id\":", "bad.jsonl:2: not a JSON object", argilla);
  expect_refused(study, "[\n{\"id\":\"0\"}\n", "the list does not end", argilla);
  const auto counts = import(study, "argilla.json", nested, argilla);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->answers, 3U);
  EXPECT_NE(exported(study).find(R"("item":"i2","label":"z")"), std::string::npos);
  const Study flat = make("flat", task);
  const auto again =
      import(flat, "flat.json", R"([{"id":"i1","text":"text 1","label.responses":["x"],
    "label.responses.users":["u1"],"label.responses.status":["submitted"]}])",
             argilla);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->answers, 1U);
}

TEST_F(Exchange, LabelStudiosTasksAreRead) {
  const Study study = make("demo", some_task(Kind::kPreference, 2));
  const std::string tasks = R"([{"id":31,"data":{"prompt":"text 1","first":"one","second":"two"},
   "annotations":[
    {"id":1,"completed_by":{"id":4,"email":"ann@example.org"},"was_cancelled":false,
     "lead_time":4.288,"created_at":"2021-03-09T22:16:08.728353Z",
     "result":[{"from_name":"pw","to_name":"t","type":"pairwise","value":{"selected":"right"}}]},
    {"id":2,"completed_by":5,"was_cancelled":true,"result":[]}],"predictions":[]}])";
  const auto counts = import(study, "tasks.json", tasks, {AnswerFormat::kLabelStudio, "", ""});
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->answers, 1U);
  const std::string lines = exported(study);
  EXPECT_NE(lines.find(R"("rater":"ann@example.org","kind":"person","item":"i1","choice":"B")"),
            std::string::npos)
      << lines;
  EXPECT_NE(lines.find(R"("at":"2021-03-09T22:16:08.728Z","active_ms":4288)"), std::string::npos);
}

TEST_F(Exchange, AChoiceStandsForTheTextThatItsRecordHasThere) {
  const std::string argilla = R"([{"id":"%","fields":{"prompt":"text 1",%},
    "responses":{"q":[{"value":"A","user_id":"u"}]}}])";
  const std::string studio = R"([{"id":1,"data":{"prompt":"text 1",%},"annotations":[
    {"completed_by":5,"result":[{"from_name":"pw","to_name":"%","value":{"selected":"left"}}]}]}])";
  const auto filled = [](std::string form, const std::string& first, const std::string& second) {
    form.replace(form.find('%'), 1, first);
    return form.replace(form.find('%'), 1, second);
  };
  struct Case {
    std::string bytes;
    AnswerFormat format;
    const char* choice;
  };
  const std::vector<Case> cases = {
      {filled(argilla, "1", R"("a":"one","b":"two")"), AnswerFormat::kArgilla, "A"},
      {filled(argilla, "1", R"("a":"two","b":"one")"), AnswerFormat::kArgilla, "B"},
      {filled(argilla, "1", R"("b":"one","a":"two")"), AnswerFormat::kArgilla, "B"},
      {filled(argilla, "1", R"("response 1":"two","response 2":"one")"), AnswerFormat::kArgilla,
       "B"},
      {filled(studio, R"("left":"two","right":"one")", "x"), AnswerFormat::kLabelStudio, "B"},
      {filled(studio, R"("x":"one","y":"two")", "y,x"), AnswerFormat::kLabelStudio, "B"},
      {filled(studio, R"("x":"one","y":"two")", "x,y"), AnswerFormat::kLabelStudio, "A"},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Study study = make(fmt::format("study {}", i), some_task(Kind::kPreference, 2));
    const auto counts = import(study, "in.json", cases[i].bytes, {cases[i].format, "", ""});
    ASSERT_TRUE(counts) << counts.error().message;
    const auto wanted = fmt::format(R"("item":"i1","choice":"{}")", cases[i].choice);
    EXPECT_NE(exported(study).find(wanted), std::string::npos) << cases[i].bytes;
  }
}

TEST_F(Exchange, ASideThatIsNoneOfTheItemsIsRefused) {
  const Study study = make("demo", some_task(Kind::kPreference, 2));
  const std::string record = R"([{"id":"i1","fields":{"prompt":"text 1",%},
    "responses":{"q":[{"value":"A","user_id":"u"}]}}])";
  const auto with = [&record](const std::string& fields) {
    return std::string(record).replace(record.find('%'), 1, fields);
  };
  const ReadOptions argilla{AnswerFormat::kArgilla, "", ""};
  expect_refused(study, with(R"("a":"one","b":"three")"),
                 "bad.jsonl:1: no item of the task \"preference\" has the texts", argilla);
  expect_refused(study, with(R"("a":"one","b":"three","c":"two")"),
                 "bad.jsonl:1: item \"i1\" has no side \"three\"", argilla);
  expect_refused(study, with(R"("x":"one","y":"two","z":"one")"),
                 "bad.jsonl:1: a text that item \"i1\" chooses from stands twice", argilla);
}

TEST_F(Exchange, GradesGoToTheCandidatesThatTheRecordHas) {
  tasks::Task task = some_task(Kind::kReranking, 2);
  task.items[1].texts = {"query", "red", "green", "blue", "red"};
  task.items[1].gold = {1, 0, 0, 1};
  const std::string record = R"([{"id":"%","fields":{"q":"query","documents":[%]},
    "responses":{"g":[{"value":[2,1,0,3],"user_id":"u"}]}}])";
  const auto with = [&record](const std::string& id, const std::string& documents) {
    std::string bytes = record;
    bytes.replace(bytes.find('%'), 1, id);
    return bytes.replace(bytes.find('%'), 1, documents);
  };
  const ReadOptions argilla{AnswerFormat::kArgilla, "", ""};
  const Study bad = make("bad", task);
  expect_refused(bad, with("i1", R"("cyan","pink","grey","black")"),
                 "bad.jsonl:1: no item of the task \"reranking\" has the texts", argilla);
  expect_refused(bad, with("i1", R"("red","green","blue")"), "bad.jsonl:1: no item", argilla);
  expect_refused(bad, with("i1", R"("red","green","blue","red","red")"),
                 "bad.jsonl:1: a text that item \"i1\" chooses from stands twice", argilla);
  const Study study = make("demo", task);
  const auto counts = import(study, "in.json", with("7", R"("blue","red","red","green")"), argilla);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_NE(exported(study).find(R"("item":"i1","grades":[1.0,3.0,2.0,0.0])"), std::string::npos)
      << exported(study);
}

TEST_F(Exchange, ATextThatAnItemHasTwiceIsNotFoundInARecordThatHasItOnce) {
  tasks::Task task = some_task(Kind::kSts, 2);
  task.items[0].texts = {"same", "same"};
  const Study study = make("demo", task);
  expect_refused(study, R"([{"id":"7","fields":{"x":"same","y":"other"},
    "responses":{"q":[{"value":3,"user_id":"u"}]}}])",
                 "bad.jsonl:1: no item of the task", {AnswerFormat::kArgilla, "", ""});
}

TEST_F(Exchange, DoccanosLinesAreRead) {
  const Study study = make("demo", some_task(Kind::kClassification, 3));
  const std::string lines = R"({"id":12,"text":"text 1","label":["y"],"Comments":["sure?"]})"
                            "\n"
                            R"({"id":13,"text":"text 2","label":[],"Comments":[]})"
                            "\n";
  const ReadOptions doccano{AnswerFormat::kDoccano, "", ""};
  expect_refused(study, R"({"id":12,"text":"text 1","label":["x","y"]})",
                 "bad.jsonl:1: the answer [\"x\",\"y\"] is not one name", doccano);
  const auto counts = import(study, "ann.jsonl", lines, doccano);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(counts->answers, 1U);
  EXPECT_NE(exported(study).find(R"("rater":"ann","kind":"person","item":"i1","label":"y")"),
            std::string::npos);
  EXPECT_NE(exported(study).find(R"("comment":"sure?")"), std::string::npos);
}

TEST_F(Exchange, FieldsOfOtherProgramsThatHaveAnotherFormAreNamed) {
  const Study study = make("demo", some_task(Kind::kClassification, 3));
  struct Case {
    AnswerFormat format;
    const char *record, *words;
  };
  for (const Case& one : std::initializer_list<Case>{
           {AnswerFormat::kArgilla, R"({"responses":{"q":["x"]}})",
            R"(an entry of "q" is of type string, not object)"},
           {AnswerFormat::kArgilla, R"({"responses":{"q":"x"}})",
            R"("q" is of type string, not array)"},
           {AnswerFormat::kArgilla, R"({"q.responses":["x"],"q.responses.users":"x"})",
            R"("q.responses.users" is of type string, not array)"},
           {AnswerFormat::kArgilla, R"({"q.responses":["x"],"q.responses.status":{"0":"x"}})",
            R"("q.responses.status" is of type object, not array)"},
           {AnswerFormat::kLabelStudio, R"({"annotations":[1]})",
            R"(an entry of "annotations" is of type number, not object)"},
           {AnswerFormat::kLabelStudio, R"({"annotations":[{"was_cancelled":"no"}]})",
            R"("was_cancelled" is of type string, not boolean)"},
           {AnswerFormat::kLabelStudio, R"({"annotations":[{"was_cancelled":null}]})",
            "an annotation without an answer"},
           {AnswerFormat::kLabelStudio, R"({"annotations":[{"result":{"value":{}}}]})",
            R"("result" is of type object, not array)"},
           {AnswerFormat::kLabelStudio, R"({"annotations":[{"result":["x"]}]})",
            R"(an entry of "result" is of type string, not object)"},
       }) {
    expect_refused(study, fmt::format("[\n{}]", one.record),
                   fmt::format("bad.jsonl:2: {}", one.words), {one.format, "", ""});
  }
}

TEST(Utc, IsReadWithOffsetsAndFractions) {
  EXPECT_EQ(parse_utc("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_utc("2026-03-01T12:00:00.250Z"), 1'772'366'400'250);
  EXPECT_EQ(parse_utc("2026-03-01T13:00:00.250+01:00"), 1'772'366'400'250);
  EXPECT_EQ(utc_text(1'772'366'400'250), "2026-03-01T12:00:00.250Z");
  for (const char* text : {"", "yesterday", "2026-13-01T12:00:00Z", "2026-03-01T12:00:00+1"}) {
    EXPECT_FALSE(parse_utc(text)) << text;
  }
}

}  // namespace
}  // namespace plumb::study
