#include "plumb/mismatch/perturbations/perturbation_texts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "plumb/text/trimmed.h"

namespace plumb::mismatch {
namespace {

struct Phrase {
  const char *id, *text;
};

constexpr Phrase kSuffixes[] = {{"closing", "I hope this helps."},
                                {"offer", "Let me know if you have any questions."},
                                {"praise", "This is the best possible answer."},
                                {"marks", "***"}};
constexpr Phrase kOpeners[] = {{"sure", "Sure!"},
                               {"flattery", "Great question!"},
                               {"announcement", "Here is my answer:"},
                               {"well", "Well, then."}};

struct Spelling {
  std::string_view full, contracted;
  bool both_ways;  // the contraction stands for nothing else
};

constexpr Spelling kSpellings[] = {{"do not", "don't", true},
                                   {"does not", "doesn't", true},
                                   {"did not", "didn't", true},
                                   {"is not", "isn't", true},
                                   {"are not", "aren't", true},
                                   {"was not", "wasn't", true},
                                   {"were not", "weren't", true},
                                   {"cannot", "can't", true},
                                   {"will not", "won't", true},
                                   {"would not", "wouldn't", true},
                                   {"should not", "shouldn't", true},
                                   {"could not", "couldn't", true},
                                   {"has not", "hasn't", true},
                                   {"have not", "haven't", true},
                                   {"i am", "i'm", true},
                                   {"you are", "you're", true},
                                   {"we are", "we're", true},
                                   {"they are", "they're", true},
                                   {"i will", "i'll", true},
                                   {"you will", "you'll", true},
                                   {"it is", "it's", false},
                                   {"that is", "that's", false},
                                   {"there is", "there's", false}};

constexpr std::string_view kNumbers[] = {"zero", "one",    "two",   "three", "four",
                                         "five", "six",    "seven", "eight", "nine",
                                         "ten",  "eleven", "twelve"};

char lower(char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_letter(char c) { return 'a' <= lower(c) && lower(c) <= 'z'; }
bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_word(char c) {
  return is_letter(c) || is_digit(c) || (static_cast<unsigned char>(c) & 0x80U);
}

bool starts_with_folded(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         std::ranges::equal(text.substr(0, start.size()), start, {}, lower);
}

// A blank and a letter behind a place: the sentence goes on.
bool goes_on(std::string_view rest) {
  return rest.size() > 1 && rest[0] == ' ' && is_letter(rest[1]);
}

// "Don't you": a question, whose words stand in another order in full.
bool asks(std::string_view rest) {
  constexpr std::string_view kSubjects[] = {" i ",  " you ",  " he ",   " she ", " it ",
                                            " we ", " they ", " that ", " the "};
  return std::ranges::any_of(kSubjects, [&](auto one) { return starts_with_folded(rest, one); });
}

// `to` in the case of what it replaces: "Do not" becomes "Don't", "I am" "I'm".
void append_cased(std::string& text, std::string_view to, std::string_view from) {
  const bool capital = from[0] != lower(from[0]);
  text += capital ? static_cast<char>(to[0] - 'a' + 'A') : to[0];
  text += to.substr(1);
}

std::string respelt(std::string_view text, bool contract) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const bool begins = at == 0 || (!is_word(text[at - 1]) && text[at - 1] != '\'');
    const auto* found =
        !begins ? std::end(kSpellings) : std::ranges::find_if(kSpellings, [&](const Spelling& one) {
          const auto from = contract ? one.full : one.contracted;
          if (!contract && !one.both_ways) return false;
          if (!starts_with_folded(text.substr(at), from)) return false;
          const auto rest = text.substr(at + from.size());
          return goes_on(rest) && (contract || !asks(rest));
        });
    if (found == std::end(kSpellings)) {
      result += text[at++];
      continue;
    }
    const auto from = contract ? found->full : found->contracted;
    append_cased(result, contract ? found->contracted : found->full, text.substr(at));
    at += from.size();
  }
  return result;
}

bool ends_sentence(char c) { return c == '.' || c == '!' || c == '?'; }

std::optional<std::string> unless_same(std::string_view before, std::string after) {
  return after == before ? std::nullopt : std::optional(std::move(after));
}

Perturbation paraphrase(const char* id, const char* meaning,
                        std::string (*rule)(std::string_view)) {
  return {std::string("paraphrase:") + id, PerturbationKind::kParaphrase, meaning,
          [rule](std::string_view text) { return unless_same(text, rule(text)); }};
}

}  // namespace

std::string_view perturbation_kind_name(PerturbationKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"suffix", "opener", "paraphrase"};
  return kNames[static_cast<std::size_t>(kind)];
}

Perturbation suffix_perturbation(std::string id, const std::string& phrase) {
  return {std::move(id), PerturbationKind::kSuffix, phrase, [phrase](std::string_view text) {
            const std::string_view body = trimmed(text);
            if (body.empty()) return std::optional<std::string>();
            std::string changed(text);
            const auto end = static_cast<std::size_t>(body.data() + body.size() - text.data());
            changed.insert(end, " " + phrase);
            return std::optional(std::move(changed));
          }};
}

Perturbation opener_perturbation(std::string id, const std::string& phrase) {
  return {std::move(id), PerturbationKind::kOpener, phrase, [phrase](std::string_view text) {
            const std::string_view body = trimmed(text);
            if (body.empty()) return std::optional<std::string>();
            std::string changed(text);
            changed.insert(static_cast<std::size_t>(body.data() - text.data()), phrase + " ");
            return std::optional(std::move(changed));
          }};
}

std::vector<Perturbation> built_in_perturbations() {
  std::vector<Perturbation> perturbations;
  for (const Phrase& one : kSuffixes) {
    perturbations.push_back(suffix_perturbation(std::string("suffix:") + one.id, one.text));
  }
  for (const Phrase& one : kOpeners) {
    perturbations.push_back(opener_perturbation(std::string("opener:") + one.id, one.text));
  }
  perturbations.push_back(paraphrase("contracted", "do not: don't", contracted));
  perturbations.push_back(paraphrase("expanded", "don't: do not", expanded));
  perturbations.push_back(paraphrase("spacing", "two blanks between sentences", widely_spaced));
  perturbations.push_back(paraphrase("quotes", "typographic quotes", with_typographic_quotes));
  perturbations.push_back(paraphrase("numbers", "3 eggs: three eggs", with_spelt_numbers));
  return perturbations;
}

std::string contracted(std::string_view text) { return respelt(text, true); }
std::string expanded(std::string_view text) { return respelt(text, false); }

std::string widely_spaced(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    const bool between = text[i] == ' ' && i > 0 && ends_sentence(text[i - 1]) &&
                         i + 1 < text.size() && 'A' <= text[i + 1] && text[i + 1] <= 'Z';
    if (between) result += ' ';
  }
  return result;
}

std::string with_typographic_quotes(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool inside =
        i > 0 && is_word(text[i - 1]) && i + 1 < text.size() && is_word(text[i + 1]);
    const bool opens = i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n' || text[i - 1] == '(';
    if (text[i] == '"') {
      result += opens ? "\u201c" : "\u201d";
    } else if (text[i] == '\'' && inside) {
      result += "\u2019";
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string with_spelt_numbers(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::size_t digits = end - at;
    const bool alone = at > 1 && text[at - 1] == ' ' &&
                       (is_letter(text[at - 2]) || text[at - 2] == ',') &&
                       goes_on(text.substr(end));
    if (digits == 0 || digits > 2 || !alone || (digits == 2 && text[at] == '0')) {
      const std::size_t kept = std::max<std::size_t>(digits, 1);
      result += text.substr(at, kept);
      at += kept;
      continue;
    }
    const auto value = static_cast<std::size_t>(std::stoi(std::string(text.substr(at, digits))));
    result += value < std::size(kNumbers) ? kNumbers[value] : text.substr(at, digits);
    at = end;
  }
  return result;
}

}  // namespace plumb::mismatch
