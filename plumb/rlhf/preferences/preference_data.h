// Preference data: two completions of one prompt, and whom people preferred.
//
// Who uses it: the audit below a reward model's training, and that training. Read from
//   - JSON lines as TRL uses them: "prompt" (or a name that others give it, docs/formats.md),
//     "chosen", "rejected", each a text or a list of messages; without a prompt it is what both
//     begin with; "margin" is a strength;
//   - rankings: "prompt" and "completions", a list from the best to the worst, or in any order with
//     "ranks" (1: the best). A ranking of k is its k (k - 1) / 2 pairs;
//   - both with "eval", the name of the evaluation that the comparison comes from;
//   - tables (.csv, .tsv) with the columns of a pair, each cell a text;
//   - transcripts of HH-RLHF in "chosen" and "rejected";
//   - a preference task of plumb, with the answers of any number of annotators.
// All plain or gzip. What cannot be a comparison is refused, with file and line: no JSON object, a
// field that is missing or of another type. What is a comparison but teaches nothing is kept and
// reported as a defect: equal completions, an empty one, a last turn that is not the assistant's,
// no vote for one of the two. Rankings are refused where a completion stands twice, is empty, or
// two have one rank: Plackett and Luce's model has no ties.
//
//   PLUMB_TRY(data, read_preferences("harmless/test.jsonl.gz", {}));
//   for (const Comparison& one : data.comparisons) share_of_first(one);
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plumb/base/progress.h"
#include "plumb/base/result.h"
#include "plumb/rlhf/preferences/conversation.h"
#include "plumb/tasks/task.h"

namespace plumb::rlhf {

struct Vote {
  std::string annotator;  // "" where the file does not say
  tasks::Choice choice;   // A: the first completion, B: the second
  double strength = 0;    // 0: none was asked
};

struct Comparison {
  std::string where;                        // "file:line", or "file: item 7"
  Conversation prompt;                      // all that both sides share before the completion
  std::array<Conversation, 2> completions;  // each of one turn or more
  std::vector<Vote> votes;
  std::string eval = {};  // the evaluation that gave the pair (`plumb eval pairs`)

  // Of a pair of a ranking: which of the file, from 1, and the places of both completions in it, 0
  // the best. Pairs of one ranking stand one after another.
  std::size_t ranking = 0;
  std::array<std::size_t, 2> ranks = {};
};

// The share of the first completion among the votes for one of the two; nothing where all votes are
// "tie" or "both bad".
std::optional<double> share_of_first(const Comparison& comparison);

// An item of a preference task as a comparison without votes. `where` names the task in errors.
Comparison comparison_of(const tasks::Item& item, const std::string& where);

// What a reward model reads of a comparison: prompt + completion is one text, a transcript where
// there are turns.
struct ComparisonTexts {
  std::string prompt;
  std::array<std::string, 2> completions;
};
ComparisonTexts comparison_texts(const Comparison& comparison);

// A kind of comparison that teaches nothing.
struct Defect {
  std::string id;       // "equal-completions", "prompt-not-named"; docs/formats.md has all
  std::string meaning;  // one line
  std::vector<std::string> where;  // in the order of the file
};

struct PreferenceData {
  std::string file;
  std::vector<Comparison> comparisons;
  // Whether first and second is the order that annotators saw. False for "chosen" and "rejected".
  bool order_known = false;
  std::vector<Defect> defects;  // each kind once, those without a case left out
};

// `answers`: answer files to a preference task; without them the task's gold is the one vote.
// kBadInput also: no comparison at all; answers beside a file that is no task; a task of another
// kind.
Result<PreferenceData> read_preferences(const std::string& path,
                                        std::span<const std::string> answers,
                                        const Progress& progress = {});

}  // namespace plumb::rlhf
