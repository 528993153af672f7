// The tables of a studio, as PostgreSQL is told them: schema.h's, in its words.
//
// There is one schema, written once. What differs is said here: numbers have 64 bits, texts compare
// by their bytes whatever the database's language, a trigger is a function, and a reference to a
// table that is made later is added then. Answers may not be cut off as a whole (TRUNCATE) either.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb::study {

// As sqlite_schema_steps(), step by step.
std::vector<std::string> postgres_schema_steps();

// One step; `tables` are those that earlier steps made, and gets the new ones.
std::string postgres_words(std::string_view step, std::vector<std::string>& tables);

}  // namespace plumb::study
