// Small pieces that the handlers share.
#pragma once

#include "plumb/base/result.h"
#include "plumb/server/api.h"
#include "plumb/study/study.h"

namespace plumb::server {

// The study in the request's path. kNotFound: there is none of that id.
Result<study::Study> study_of(Context& context, const Request& request);

// The annotator that the account is in the study of the path. kNotFound: it is none.
Result<std::int64_t> annotator_of(Context& context, const Request& request);

}  // namespace plumb::server
