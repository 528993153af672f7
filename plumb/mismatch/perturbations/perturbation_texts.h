// Changes of a completion that change nothing of what it says: phrases before and after it that
// carry no content, and other spellings of the same words. Rewards should not move by them.
//
//   for (const Perturbation& one : built_in_perturbations()) one.change("It is here.");
//
// Guarantees: deterministic; a text that a perturbation cannot change without changing its meaning
// stays as it is. The phrases are plumb's own.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::mismatch {

enum class PerturbationKind { kSuffix, kOpener, kParaphrase };
std::string_view perturbation_kind_name(PerturbationKind kind);  // "suffix", "opener", "paraphrase"

struct Perturbation {
  std::string id;  // "suffix:closing", "paraphrase:numbers"
  PerturbationKind kind = PerturbationKind::kSuffix;
  std::string meaning;  // the phrase, or what is spelt otherwise
  // The changed text; nothing where it would be the same. Blanks around a text stay where they are.
  std::function<std::optional<std::string>(std::string_view)> change;
};

//   suffix      closing, offer, praise, marks
//   opener      sure, flattery, announcement, well
//   paraphrase  contracted (do not -> don't), expanded (don't -> do not), spacing (two blanks
//               between sentences), quotes (typographic ones), numbers (3 eggs -> three eggs)
std::vector<Perturbation> built_in_perturbations();

// A phrase of the user's after or before the text, a blank between them.
Perturbation suffix_perturbation(std::string id, const std::string& phrase);
Perturbation opener_perturbation(std::string id, const std::string& phrase);

// The rules of the paraphrases, on any text.
std::string contracted(std::string_view text);
std::string expanded(std::string_view text);
std::string widely_spaced(std::string_view text);
std::string with_typographic_quotes(std::string_view text);
// Whole numbers to twelve between blanks and before a word, not where a sentence begins.
std::string with_spelt_numbers(std::string_view text);

}  // namespace plumb::mismatch
