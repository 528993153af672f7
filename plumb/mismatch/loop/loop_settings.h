// What a loop is, in its folder: manifest.json, which another configuration is refused by, and
// settings.json with where its model lies and how many rounds were asked for last.
#pragma once

#include "plumb/base/json.h"
#include "plumb/mismatch/loop/loop.h"

namespace plumb::mismatch {

Json loop_manifest(const LoopOptions& options, const std::string& base_sha256);

Result<void> write_loop_settings(const LoopOptions& options);

// rounds/3
std::filesystem::path round_folder(const std::filesystem::path& folder, std::size_t round);

bool is_there(const std::filesystem::path& file);

Result<Json> read_json_object(const std::filesystem::path& file);

// Makes the folder that the file is in.
Result<void> write_whole(const std::filesystem::path& file, const std::string& bytes);

}  // namespace plumb::mismatch
