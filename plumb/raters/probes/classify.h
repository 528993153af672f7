// Labels by logistic regression on training items. probe.h says what the protocols do.
#pragma once

#include <span>
#include <vector>

#include "plumb/raters/probes/probe.h"

namespace plumb::raters {

// MTEB's samples of the training items: [draws][places in `labels`, in the order they were taken].
// Every draw shuffles the list that the draw before left, with NumPy's generator seeded 42 anew,
// and walks it, taking an item while its label has fewer than samples_per_label.
// words_before_first: of the generator, that something else drew before the first draw.
std::vector<std::vector<std::size_t>> mteb_draws(std::span<const int> labels, int draws,
                                                 int samples_per_label,
                                                 std::uint64_t words_before_first);

// Sheets of a classification task, see probe().
Result<std::vector<tasks::AnswerSheet>> classify(const tasks::Task& task,
                                                 const EmbeddedTask& embedded,
                                                 const ProbeOptions& options,
                                                 const tasks::RateOptions& rate);

}  // namespace plumb::raters
