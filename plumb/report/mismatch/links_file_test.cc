#include "plumb/report/mismatch/links_file.h"

#include <gtest/gtest.h>

#include "plumb/base/json.h"
#include "plumb/report/mismatch/links_report.h"

namespace plumb::report {
namespace {

Json sound() {
  return Json::parse(R"({
    "schema": "plumb.links-report/1", "title": "Links", "command": "plumb report links a", "version": "1",
    "links": {
      "level": 0.95, "resamples": 100, "seed": 0,
      "inputs": [{"what": "population", "file": "p", "sha256": "0"}],
      "runs": [{"name": "a", "file": "a", "sha256": "0", "samples": 8, "prompts": 4, "steps": 2, "seeds": 1,
                "missing": [], "verdicts": {"A": "aligned", "B": "insufficient evidence", "C": "inverted"}}],
      "links": [{"link": "A", "run": null, "measure": "m", "estimate": 1, "ci": [0, 2], "verdict": null,
                 "detectable": null, "n": 4, "of": "prompts", "headline": true}],
      "swap": [{"stage": "total", "loss": null, "ci": null, "reason": "no gold"}],
      "sentence": "One."},
    "details": [{"name": "a", "kind": "run", "proxy_deviation": 1, "gold_deviation": null,
                 "points": [{"at": 0, "d": 0, "proxy": 1, "proxy_ci": null, "gold": null, "gold_ci": null,
                             "accuracy": 1, "accuracy_ci": [0, 1], "overconfidence": 0, "overconfidence_ci": null}],
                 "ceiling": {"d_star": 1, "ci": [null, 2]},
                 "evaluations": [{"name": "e", "points": [{"step": 0, "score": 1, "ci": null}]}],
                 "examples": {"stages": [{"name": "start", "step": 0, "note": ""}],
                              "prompts": [{"prompt": "p", "samples": [null, {"completion": "c"}]}]}}],
    "notes": ["n"]})");
}

std::string trouble(const Json& report) {
  const auto checked = check_links_report(to_text(report), "links.json");
  return checked ? "" : checked.error().message;
}

TEST(SwapStages, SayWhyTheyHaveNoInterval) {
  mismatch::SwapReport swap;
  swap.stages = {{"total", {0.2, stats::undefined("too many resamples are undefined")}},
                 {"remainder", {stats::undefined("no run"), stats::undefined("no run")}},
                 {"optimiser", {0.2, stats::Interval{0.1, 0.3}}}};
  const Json json = swap_json(swap);
  EXPECT_EQ(json["swap"][0]["loss"], 0.2);
  EXPECT_EQ(json["swap"][0]["reason"], "too many resamples are undefined");
  EXPECT_EQ(json["swap"][1]["reason"], "no run");
  EXPECT_FALSE(json["swap"][2].contains("reason"));
  EXPECT_EQ(swap_part(swap, 0.95).table.rows[0][2], "too many resamples are undefined");
}

TEST(LinksFile, ASoundReportSaysItsTitleAndItsSentence) {
  const auto checked = check_links_report(to_text(sound()), "links.json");
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->title, "Links");
  EXPECT_EQ(checked->sentence, "One.");
}

TEST(LinksFile, EachFieldThatThePageReadsIsMissedByName) {
  const Json whole = sound();
  for (const char* place :
       {"", "/links", "/links/inputs/0", "/links/runs/0", "/links/runs/0/verdicts",
        "/links/links/0", "/details/0", "/details/0/points/0", "/details/0/evaluations/0",
        "/details/0/evaluations/0/points/0", "/details/0/examples"}) {
    const Json::json_pointer at{std::string(place)};
    for (const auto& [field, value] : whole[at].items()) {
      if (field == "schema") continue;
      Json damaged = whole;
      damaged[at].erase(field);
      EXPECT_NE(trouble(damaged).find("has no \"" + field + "\""), std::string::npos)
          << place << " " << field << ": " << trouble(damaged);
      damaged[at][field] = Json::array({Json::array({1})});
      EXPECT_NE(trouble(damaged), "") << place << " " << field;
    }
  }
}

TEST(LinksFile, WhatIsNoReportIsRefusedWithWhatWritesOne) {
  for (const char* text : {"", "[]", "3", "{\"schema\": 3}", "{\"schema\":\"plumb.links/1\"}"}) {
    const auto checked = check_links_report(text, "x.json");
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().kind, ErrorKind::kBadInput);
    EXPECT_NE(checked.error().message.find("plumb report links RUN --json"), std::string::npos);
  }
  Json verdict = sound();
  verdict["links"]["links"][0]["verdict"] = "fine";
  EXPECT_EQ(trouble(verdict),
            "links.json: no sound report of links: \"verdict\" of row 1 is of another kind");
  Json sample = sound();
  sample["details"][0]["examples"]["prompts"][0]["samples"] = {3};
  EXPECT_NE(trouble(sample), "");
  EXPECT_FALSE(check_links_report(std::string(kLongestLinksReport + 1, ' '), "x.json"));
}

}  // namespace
}  // namespace plumb::report
