// The tables of a studio, as SQLite is told them.
//
// What must never happen is refused here, not by code: an item has one slot for each k and k stays
// below the overlap; an annotator has one slot an item and purpose; a revision and an idempotency
// key occur once; answers are appended, never changed or deleted.
#pragma once

#include <cstdint>
#include <span>

namespace plumb::study {

inline constexpr std::int64_t kApplicationId = 0x706c6d62;  // "plmb", in the file's header

// Steps from an empty database to the newest; step i makes version i + 1.
std::span<const char* const> sqlite_schema_steps();

}  // namespace plumb::study
