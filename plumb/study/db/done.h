// For changes whose number of rows nobody asks for.
//
//   return done(connection.execute("DELETE FROM sessions WHERE account_id = ?1", {account}));
#pragma once

#include <cstdint>
#include <utility>

#include "plumb/base/result.h"

namespace plumb::study {

inline Result<void> done(Result<std::int64_t> changed) {
  return changed ? Result<void>() : tl::unexpected(std::move(changed.error()));
}

}  // namespace plumb::study
