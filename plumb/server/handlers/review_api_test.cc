// What researchers and adjudicators do over HTTP.
#include <gtest/gtest.h>

#include <algorithm>

#include "plumb/server/testing.h"
#include "plumb/study/review/models.h"
#include "plumb/tasks/answers_file.h"

namespace plumb::server {
namespace {

using study::Role;
using study::Study;
using testing::Reply;

class ReviewApi : public testing::ServerFixture {
 protected:
  ReviewApi() : other_(*Study::open(*store_, "other")) {
    base_ = fmt::format("/api/studies/{}", other_.info().id);
  }

  // "ann" and "bob" answer everything in the study "other", and differ by `apart` where they can.
  void answer_all(int apart) {
    for (const char* name : {"ann", "bob"}) {
      const auto annotator = other_.enroll(name, tasks::RaterKind::kPerson)->id;
      while (auto served = other_.next(annotator)->served) {
        const int rating = served->body["id"].get<std::string>().back() % 3;
        const Json answer = {{"rating", name[0] == 'a' ? rating : rating + apart}};
        ASSERT_TRUE(other_.submit(annotator, {.slot = served->slot,
                                              .key = fmt::format("{}", served->slot),
                                              .answer = answer,
                                              .timing = {.active_ms = 1500, .idle_ms = 100}}));
      }
    }
  }

  // A model's file that gives every item its gold.
  std::string perfect_model() {
    const tasks::Task task = study::load_sheets(other_, other_.tasks()[0])->task;
    tasks::AnswerSheet sheet{.rater = "oracle", .kind = tasks::RaterKind::kModel};
    for (const tasks::Item& item : task.items) sheet.answers.emplace_back(item.gold);
    return tasks::format_answers(task, {&sheet, 1});
  }

  // A body that is no JSON.
  std::pair<int, std::string> download(const std::string& path, const std::string& token) {
    httplib::Client client("127.0.0.1", server_->port());
    const auto reply = client.Get(path, own_headers(token));
    return reply ? std::pair(reply->status, reply->body) : std::pair(0, std::string());
  }

  Reply decide(const std::string& token, std::int64_t item, const Json& body,
               const std::string& key, httplib::Headers more = {}) {
    more.emplace("Idempotency-Key", key);
    return call("PUT", fmt::format("{}/disputes/{}/decision", base_, item), token, body, more);
  }

  Study other_;
  std::string base_;
};

TEST_F(ReviewApi, DisagreementsAreListedDecidedAndExported) {
  answer_all(3);
  const std::string judge = session_of(Role::kAdjudicator), owner = session_of(Role::kOwner);
  const Reply list = call("GET", base_ + "/disputes?most=5", judge);
  ASSERT_EQ(list.status, 200) << list.error();
  EXPECT_EQ(list["open"], 20);
  ASSERT_EQ(list["items"].size(), 5U);
  const Json first = list["items"][0];
  EXPECT_EQ(first["answers"][0]["annotator"], "R1");
  EXPECT_EQ(to_text(list.body).find("ann\""), std::string::npos) << "names stay hidden";
  EXPECT_EQ(first["kind"], "sts");
  EXPECT_DOUBLE_EQ(first["disagreement"].get<double>(), 3.0 / 5);
  const auto item = first["item"].get<std::int64_t>();
  const Json body = {{"answer", {{"rating", 2}}}, {"reason", "the second half decides"}};
  const Reply saved = decide(judge, item, body, "k", {{"If-Match", "0"}});
  ASSERT_EQ(saved.status, 200) << saved.error();
  EXPECT_EQ(saved["saved"], true);
  EXPECT_EQ(decide(judge, item, body, "k")["again"], true);
  EXPECT_EQ(decide(owner, item, body, "k2", {{"If-Match", "0"}}).status, 409);
  const Reply shown = call("GET", fmt::format("{}/disputes/{}", base_, item), judge);
  EXPECT_EQ(shown["decisions"][0]["adjudicator"], "J1");
  EXPECT_EQ(shown["decisions"][0]["reason"], "the second half decides");
  EXPECT_EQ(call("GET", base_ + "/disputes?show=decided", judge)["items"].size(), 1U);
  const auto [status, sheet] = download(base_ + "/export?format=adjudicated", owner);
  EXPECT_EQ(status, 200);
  EXPECT_NE(sheet.find(R"("rater":"adjudicated","kind":"adjudicated")"), std::string::npos);
  EXPECT_NE(sheet.find(R"("guideline":1)"), std::string::npos);
  EXPECT_NE(download(base_ + "/export?format=gold", owner).second.find(R"("gold_before")"),
            std::string::npos);
}

TEST_F(ReviewApi, DecisionsThatDoNotFitAreRefused) {
  answer_all(3);
  const std::string judge = session_of(Role::kAdjudicator);
  const auto item = call("GET", base_ + "/disputes", judge)["items"][0]["item"].get<int>();
  const auto status = [&](const Json& body, const char* key = "k") {
    return decide(judge, item, body, key).status;
  };
  EXPECT_EQ(status({{"answer", {{"rating", 2}}}}), 400) << "no reason";
  EXPECT_EQ(status({{"reason", "x"}}), 400) << "no answer";
  EXPECT_EQ(status({{"answer", {{"rating", 2}}}, {"reason", " "}}), 422);
  EXPECT_EQ(status({{"answer", {{"rating", 7}}}, {"reason", "x"}}), 422);
  EXPECT_EQ(status({{"answer", {{"rating", 2}}}, {"reason", "x"}}, ""), 422) << "no key";
  EXPECT_EQ(status({{"answer", nullptr}, {"reason", "x"}}), 404) << "nothing to withdraw";
  EXPECT_EQ(decide(judge, 9999, {{"answer", {{"rating", 2}}}, {"reason", "x"}}, "k").status, 404);
  for (const char* bad : {"show=some", "offset=-1", "most=201", "most=x"}) {
    EXPECT_EQ(call("GET", base_ + "/disputes?" + bad, judge).status, 400) << bad;
  }
  EXPECT_EQ(call("GET", base_ + "/disputes?task=none", judge).status, 404);
  EXPECT_EQ(call("GET", base_ + "/disputes/1", judge).status, 404) << "an item of another study";
}

TEST_F(ReviewApi, TheViewHasProgressAgreementTimesAndTheGap) {
  answer_all(1);
  const std::string viewer = session_of(Role::kViewer), manager = session_of(Role::kManager);
  const Reply attached = call("POST", base_ + "/models", manager, {{"answers", perfect_model()}});
  ASSERT_EQ(attached.status, 200) << attached.error();
  Reply view;
  for (int i = 0; i < 100 && view["current"] != true; ++i) {
    view = call("GET", base_ + "/view", viewer);
  }
  ASSERT_EQ(view["current"], true) << view.body;
  EXPECT_EQ(view["schema"], "plumb.study-view/1");
  const Json task = view["status"]["tasks"][0];
  EXPECT_EQ(task["answers"], 40);
  EXPECT_EQ(task["complete"], 20);
  EXPECT_EQ(task["agreement"]["rows"][0]["n"], 20);
  EXPECT_EQ(view["status"]["annotators"][0]["active_seconds"]["value"], 1.5);
  EXPECT_EQ(view["status"]["annotators"][0]["gold"]["reason"], "there were no checks");
  EXPECT_EQ(view["disputes"]["open"], 20);
  const Json gap = view["gap"][0];
  EXPECT_EQ(gap["schema"], "plumb.item-gap/1");
  EXPECT_EQ(gap["answered"], 20);
  EXPECT_EQ(gap["rows"][0]["kind"], "human");
  const auto& rows = gap["rows"];
  const auto oracle =
      std::find_if(rows.begin(), rows.end(), [](const Json& r) { return r["name"] == "oracle"; });
  ASSERT_NE(oracle, rows.end());
  EXPECT_DOUBLE_EQ((*oracle)["score"].get<double>(), 1);
  EXPECT_TRUE((*oracle).contains("verdict"));
  // As `plumb gap` has it: without them nobody sees that a trivial answer does as well as people.
  const auto random = std::count_if(rows.begin(), rows.end(), [](const Json& row) {
    return row["name"] == "baseline/random" && row["kind"] == "baseline";
  });
  EXPECT_EQ(random, 1);
}

TEST_F(ReviewApi, AViewOfAnEmptyStudySaysWhyThingsAreUndefined) {
  const std::string viewer = session_of(Role::kViewer);
  Reply view;
  for (int i = 0; i < 100 && view["current"] != true; ++i) {
    view = call("GET", base_ + "/view", viewer);
  }
  EXPECT_EQ(view["gap"][0]["reason"], "nobody has answered yet");
  EXPECT_NE(view["status"]["tasks"][0]["agreement"]["reason"].get<std::string>().find("nobody"),
            std::string::npos);
}

TEST_F(ReviewApi, AViewFollowsWhatIsAnswered) {
  const std::string viewer = session_of(Role::kViewer);
  const auto answers = [&] {
    Reply view;
    do view = call("GET", base_ + "/view", viewer);
    while (view["current"] != true);
    return view["status"]["tasks"][0]["answers"].get<int>();
  };
  EXPECT_EQ(answers(), 0);
  const auto annotator = other_.enroll("ann", tasks::RaterKind::kPerson)->id;
  for (int i = 1; i < 4; ++i) {
    const auto served = other_.next(annotator)->served;
    ASSERT_TRUE(other_.submit(annotator, {served->slot, fmt::format("{}", i), {{"rating", 1}}}));
    EXPECT_EQ(answers(), i);
  }
}

TEST_F(ReviewApi, ModelsAreAttachedListedAndTakenAway) {
  const std::string manager = session_of(Role::kManager), viewer = session_of(Role::kViewer);
  const std::string path = base_ + "/models";
  ASSERT_EQ(call("POST", path, manager, {{"task", "sts"}, {"answers", perfect_model()}}).status,
            200);
  const Reply list = call("GET", path, viewer);
  ASSERT_EQ(list["models"].size(), 1U);
  EXPECT_EQ(list["models"][0]["rater"], "oracle");
  EXPECT_EQ(list["models"][0]["answers"], 20);
  EXPECT_EQ(call("POST", path + "/remove", manager, {{"rater", "orcale"}}).status, 404);
  EXPECT_EQ(call("POST", path + "/remove", manager, {{"rater", "oracle"}}).status, 200);
  EXPECT_TRUE(call("GET", path, viewer)["models"].empty());
  const auto refused = [&](const std::string& answers) {
    return call("POST", path, manager, {{"answers", answers}}).error();
  };
  EXPECT_NE(refused("").find("there are no answers"), std::string::npos);
  EXPECT_EQ(refused("{}\nx"), "answers:1: \"item\" is missing");
  EXPECT_NE(refused(R"({"rater":"a","kind":"model","item":"i0","rating":9})").find("off the scale"),
            std::string::npos);
  EXPECT_NE(refused(R"({"rater":"a","item":"i0","rating":1})").find("of kind \"person\""),
            std::string::npos);
  EXPECT_EQ(call("POST", path, manager, {{"task", "none"}, {"answers", "x"}}).status, 404);
  EXPECT_EQ(call("POST", path, manager, {{"built_in", true}}).status, 403) << "a server without";
  EXPECT_EQ(call("POST", path, manager).status, 400);
}

TEST_F(ReviewApi, ExportsOfEveryFormSayWhoWhenAndUnderWhichGuidelines) {
  answer_all(1);
  const std::string manager = session_of(Role::kManager);
  const auto file = [&](const std::string& query) {
    return download(base_ + "/export?" + query, manager);
  };
  const auto [status, answers] = file("");
  EXPECT_EQ(status, 200);
  EXPECT_NE(answers.find(R"("rater":"ann")"), std::string::npos);
  EXPECT_NE(answers.find(R"("guideline":1)"), std::string::npos);
  EXPECT_NE(answers.find(R"("at":"2023-11-14T)"), std::string::npos);
  EXPECT_TRUE(file("format=csv&history=1").second.starts_with("task,item,rater,kind,"));
  const std::string mteb = file("format=mteb").second;
  EXPECT_NE(mteb.find("results/baseline__Human/expected/sts.json"), std::string::npos);
  EXPECT_NE(mteb.find("results/baseline__Human/annotator_bob/model_meta.json"), std::string::npos);
  EXPECT_NE(mteb.find("\"plumb_study\""), std::string::npos);
  EXPECT_NE(mteb.find("\"guidelines\": [\n      1\n"), std::string::npos);
  EXPECT_EQ(file("format=xml").first, 400);
  EXPECT_EQ(file("format=preferences").first, 400);
  EXPECT_EQ(file("format=csv&task=sts").first, 400) << "a table is of all tasks";
  EXPECT_EQ(file("format=gold&task=none").first, 404);
  EXPECT_EQ(file("task=none").first, 404);
}

TEST_F(ReviewApi, AStudyOfSeveralTasksIsExportedAsAnArchive) {
  std::vector<tasks::Task> tasks;
  for (const tasks::Kind kind : {tasks::Kind::kSts, tasks::Kind::kPreference}) {
    tasks.push_back(study::testing::some_task(kind, 6));
  }
  const Study study = *create_study(*store_, {.name = "two", .tasks = tasks});
  const auto annotator = study.enroll("ann", tasks::RaterKind::kPerson)->id;
  plumb::Stream stream(5, "answers", 0);
  std::size_t decided = 0;
  while (auto served = study.next(annotator)->served) {
    const Json answer = study::testing::some_answer(*served, stream);
    if (answer.value("choice", "") == "A" || answer.value("choice", "") == "B") ++decided;
    ASSERT_TRUE(study.submit(annotator, {served->slot, fmt::format("{}", served->slot), answer}));
  }
  const std::string manager = session_of(Role::kManager);
  const std::string path = fmt::format("/api/studies/{}/export", study.info().id);
  const std::string archive = download(path, manager).second;
  EXPECT_EQ(archive.size() % 512, 0U);
  EXPECT_TRUE(archive.starts_with("sts.answers.jsonl"));
  EXPECT_NE(archive.find("preference.answers.jsonl"), std::string::npos);
  EXPECT_TRUE(
      download(path + "?format=adjudicated", manager).second.starts_with("sts.adjudicated.jsonl"));
  EXPECT_TRUE(download(path + "?format=gold", manager).second.starts_with("sts.gold.task.jsonl"));
  const auto pairs = download(path + "?format=preferences", manager).second;
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(pairs, '\n')), decided);
  EXPECT_EQ(pairs.find("\"chosen\"") != std::string::npos, decided > 0);
  EXPECT_EQ(download(path + "?format=mteb", manager).first, 200) << "of the tasks that it knows";
  EXPECT_EQ(download(path + "?format=mteb&task=preference", manager).first, 400);
}

TEST_F(ReviewApi, GuidelinesComeAsATreeInEveryVersion) {
  const std::string manager = session_of(Role::kManager);
  const std::string path = base_ + "/guidelines";
  ASSERT_EQ(call("PUT", path, manager, {{"markdown", "# Rules\n\n[x](javascript:1)"}})["version"],
            2);
  const Reply now = call("GET", path, session_of(Role::kAnnotator, "other"));
  EXPECT_EQ(now["version"], 2);
  EXPECT_EQ(now["blocks"][0]["type"], "heading");
  EXPECT_EQ(now["blocks"][1]["children"][0]["type"], "text") << now.body;
  EXPECT_EQ(call("GET", path + "?version=1", manager)["version"], 1);
  EXPECT_EQ(call("GET", path + "?version=3", manager).status, 404);
  EXPECT_EQ(call("GET", path + "?version=x", manager).status, 400);
  EXPECT_EQ(call("PUT", path, manager, {{"markdown", std::string((1 << 20) + 1, 'x')}}).status,
            422);
}

// What an annotator can read anywhere holds nothing of what only researchers may know.
TEST_F(ReviewApi, NothingThatAnAnnotatorReachesTellsOfModelsOrOfOthers) {
  answer_all(1);
  const std::string manager = session_of(Role::kManager);
  ASSERT_EQ(call("POST", base_ + "/models", manager, {{"answers", perfect_model()}}).status, 200);
  const std::string annotator = session_of(Role::kAnnotator, "other");
  for (const Route& route : routes()) {
    const std::string path = path_of(route, other_.info().id, 1);
    if (route.method != "GET" || (route.roles & bit(Role::kAnnotator)) == 0) continue;
    const Reply reply = call("GET", path, annotator);
    for (const char* word : {"oracle", "ann\"", "bob", "\"gold\"", "\"score\"", "disagreement"}) {
      EXPECT_EQ(to_text(reply.body).find(word), std::string::npos) << path << " tells " << word;
    }
  }
}

}  // namespace
}  // namespace plumb::server
