// What preference data reward beside what they are meant to: the length of an answer, refusals, the
// place on the screen; and how far they contradict themselves. Computed before anything is trained.
//
// Every share is one of comparisons. With several votes to a comparison it is that of an individual
// annotator: the expected share over the votes for one of the two; comparisons without such a vote
// are left out. Comparisons of one prompt are not independent, so intervals are Wilson's with their
// design effect (stats::clustered_wilson).
//
//   PLUMB_TRY(data, read_preferences(path, {}));
//   for (const AuditRow& row : audit_preferences(data, {}).rows) print(row.title, row.value);
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "plumb/rlhf/preferences/preference_data.h"
#include "plumb/stats/score.h"
#include "plumb/stats/standings.h"

namespace plumb::rlhf {

struct AuditRow {
  std::string id, title;
  stats::Score value = stats::undefined("");
  stats::IntervalScore ci = stats::undefined("");
  std::size_t n = 0;      // comparisons
  double reference = -1;  // what the share would be without a preference; negative: none
};

struct AuditOptions {
  double level = 0.95;
  stats::ResampleOptions sampling = {.resamples = 2000};  // of differences and of agreement
};

struct PreferenceAudit {
  std::size_t pairs = 0;    // comparisons
  std::size_t decided = 0;  // with a vote for one of the two
  std::size_t prompts = 0;  // distinct
  std::size_t votes = 0, annotators = 0;
  std::size_t equal_length = 0, equal_words = 0;  // decided ones
  std::vector<AuditRow> rows;
  std::vector<std::string> notes;  // what was not measured, and why
};

// longer_chosen: the last turn has more characters (code points); ties in length are in n and count
//   as not longer; longer_chosen_half_tie counts them half. The same with _words, between blanks.
// refusal_openers_chosen, _rejected, _difference; refusal_folded_*: apostrophes folded.
// first_chosen: where the order that annotators saw is known.
// repeated_pairs: the same prompt and completions in either order occurred before;
//   contradicting_pairs: and the majority was for the other completion.
// repeated_completions: the preferred completion's text was so under an earlier prompt.
// cyclic_triads: of any three completions of a prompt all pairs of which one annotator decided, how
//   many he puts in a circle, n triads; a quarter where he tosses coins. consistence: Kendall's
//   coefficient, where he decided every pair of a prompt; n prompts and annotators. Rankings are
//   one order by construction and are not in either.
// tie_votes: share of votes "tie" or "both bad"; percent_agreement, krippendorff_nominal: of the
//   choices, where comparisons have several votes.
PreferenceAudit audit_preferences(const PreferenceData& data, const AuditOptions& options);

}  // namespace plumb::rlhf
