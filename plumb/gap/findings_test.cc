#include "plumb/gap/findings.h"

#include <gtest/gtest.h>

#include <string>

#include "plumb/gap/testing.h"

namespace plumb::gap {
namespace {

std::vector<Finding> findings_of(const Figures& figures) {
  return find_inconsistencies(figures, make_board(figures, {}).value());
}

TEST(Findings, OfHumeAreAllThere) {
  const auto findings = find_inconsistencies(hume(), hume_board());
  EXPECT_EQ(findings.size(), 24U);
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.evidence.empty()) << finding.id;
    EXPECT_FALSE(finding.evidence.starts_with(";")) << finding.id;
    EXPECT_EQ(finding.holds, finding.id != "highest-cells") << finding.id;
  }
}

// "14 of 26 subsets" is a claim about HUME; of anybody else's figures it says nothing.
TEST(Findings, AreNotMadeOfOtherFigures) {
  Figures figures;
  figures.files = 2;
  figures.entries = {{"baseline/Human", "expected", {}, {accuracy_cell("Mine", 0.9)}},
                     {"org/model", "1", {}, {accuracy_cell("Mine", 0.8)}}};
  EXPECT_TRUE(findings_of(figures).empty());
  for (Entry& entry : figures.entries) {
    entry.cells = {accuracy_cell("HUMEEmotionClassification", entry.cells[0].main_score)};
  }
  EXPECT_TRUE(findings_of(figures).empty()) << "other people on a task of HUME";
}

// Part of HUME: what a check has nothing to say about is left out, not said with a gap in it.
TEST(Findings, OfAPartHaveWholeSentences) {
  Figures figures = hume();
  for (Entry& entry : figures.entries) {
    std::erase_if(entry.cells,
                  [](const Cell& cell) { return cell.task != "HUMEEmotionClassification"; });
  }
  std::erase_if(figures.entries, [](const Entry& entry) { return entry.cells.empty(); });
  const auto findings = findings_of(figures);
  EXPECT_GT(findings.size(), 4U);
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.evidence.empty()) << finding.id;
    EXPECT_FALSE(finding.evidence.starts_with(";")) << finding.id << ": " << finding.evidence;
    EXPECT_FALSE(finding.evidence.starts_with("0 cells")) << finding.id;
    EXPECT_EQ(finding.evidence.find("all of :"), std::string::npos) << finding.id;
  }
}

}  // namespace
}  // namespace plumb::gap
