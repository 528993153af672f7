// A study's status as JSON: what `plumb study status --json` prints and the server sends.
#pragma once

#include <vector>

#include "plumb/base/json.h"
#include "plumb/base/result.h"
#include "plumb/study/measure.h"

namespace plumb::study {

// Agreement on each task, or why there is none.
using Agreements = std::vector<Result<LiveAgreement>>;
Agreements live_agreements(const Study& study, const AgreementOptions& options);

// plumb.study-status/1. agreements: of status.tasks, or empty.
Json status_json(const Study& study, const StudyStatus& status, const Agreements& agreements);

}  // namespace plumb::study
