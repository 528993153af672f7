// The phrases that the meters of style look for, in lower case, with straight apostrophes. Used by
// style.cc and readings.cc alone.
#pragma once

#include <string_view>

namespace plumb::evals {

// Anywhere in the text.
inline constexpr std::string_view kHedges[] = {"however",
                                               "it is important to",
                                               "it's important to",
                                               "please note",
                                               "it is worth noting",
                                               "it's worth noting",
                                               "keep in mind",
                                               "as an ai",
                                               "as a language model",
                                               "it depends",
                                               "may vary",
                                               "may or may not",
                                               "to some extent",
                                               "in some cases",
                                               "in general",
                                               "generally",
                                               "not necessarily",
                                               "i'm not sure",
                                               "i am not sure",
                                               "i think",
                                               "i believe",
                                               "perhaps",
                                               "possibly",
                                               "arguably",
                                               "might be",
                                               "could be",
                                               "consult a professional",
                                               "seek professional"};

inline constexpr std::string_view kApologies[] = {
    "i apologize",    "i apologise", "my apologies",      "apologies for",    "i'm sorry",
    "i am sorry",     "sorry for",   "sorry about",       "i was wrong",      "i made a mistake",
    "i was mistaken", "my mistake",  "for the confusion", "you are right, i", "you're right, i"};

inline constexpr std::string_view kUnfinished[] = {"rest of the code",
                                                   "remaining code",
                                                   "your code here",
                                                   "existing code",
                                                   "[insert",
                                                   "[your ",
                                                   "todo",
                                                   "and so on",
                                                   "left as an exercise",
                                                   "you can continue",
                                                   "omitted for brevity",
                                                   "for brevity",
                                                   "fill in the",
                                                   "repeat for the"};

// At the beginning of the text.
inline constexpr std::string_view kFlattery[] = {
    "great question", "good question",      "excellent question", "what a great",
    "that's a great", "that is a great",    "that's a good",      "that is a good",
    "you're right",   "you are right",      "you're absolutely",  "you are absolutely",
    "absolutely",     "i completely agree", "i totally agree",    "i agree with you",
    "thank you for"};

}  // namespace plumb::evals
