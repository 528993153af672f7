#include "plumb/server/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/hash.h"
#include "plumb/base/json.h"

extern "C" {
extern const char plumb_web_studio_begin[];
extern const char plumb_web_studio_end[];
}

namespace plumb::server {
namespace {

Result<std::string_view> part_of(std::string_view bytes, const Json& file, const char* field) {
  const auto found = file.find(field);
  if (found != file.end() && found->is_array() && found->size() == 2 &&
      (*found)[0].is_number_unsigned() && (*found)[1].is_number_unsigned()) {
    const auto begin = (*found)[0].get<std::size_t>(), size = (*found)[1].get<std::size_t>();
    if (begin <= bytes.size() && size <= bytes.size() - begin) return bytes.substr(begin, size);
  }
  return fail(ErrorKind::kBadInput, fmt::format("the pack has no \"{}\" of a file", field));
}

Result<PageFile> file_of(std::string_view bytes, const Json& json) {
  if (!json.is_object() || !json.contains("path") || !json["path"].is_string() ||
      !json.contains("type") || !json["type"].is_string()) {
    return fail(ErrorKind::kBadInput, "the pack has a file without a path or a type");
  }
  PLUMB_TRY(plain, part_of(bytes, json, "plain"));
  PLUMB_TRY(gzip, part_of(bytes, json, "gzip"));
  return PageFile{json["path"].get<std::string>(), json["type"].get<std::string>(), plain, gzip,
                  fmt::format("\"{}\"", sha256(plain).substr(0, 32))};
}

// What the build packed; nothing where it packed nothing that can be read, which a test rules out.
const std::vector<PageFile>& own_files() {
  static const std::vector<PageFile> files =
      read_pack({plumb_web_studio_begin,
                 static_cast<std::size_t>(plumb_web_studio_end - plumb_web_studio_begin)})
          .value_or(std::vector<PageFile>());
  return files;
}

}  // namespace

Result<std::vector<PageFile>> read_pack(std::string_view pack) {
  const std::size_t end = pack.find('\n');
  const Json head =
      end == std::string_view::npos ? Json() : Json::parse(pack.substr(0, end), nullptr, false);
  if (!head.is_array()) return fail(ErrorKind::kBadInput, "no pack: its first line is no list");
  std::vector<PageFile> files;
  for (const Json& json : head) {
    PLUMB_TRY(file, file_of(pack.substr(end + 1), json));
    files.push_back(std::move(file));
  }
  return files;
}

const PageFile* page_file(std::string_view path) {
  const auto& files = own_files();
  const auto found = std::ranges::find(files, path, &PageFile::path);
  return found == files.end() ? nullptr : &*found;
}

bool accepts_gzip(std::string_view header) {
  const std::size_t begin = header.find("gzip");
  if (begin == std::string_view::npos) return false;
  std::string_view rest = header.substr(begin + 4, header.find(',', begin) - begin - 4);
  std::string weight;
  std::ranges::copy_if(rest, std::back_inserter(weight), [](char c) { return c != ' '; });
  return weight != ";q=0" && weight != ";q=0.0" && weight != ";q=0.00" && weight != ";q=0.000";
}

}  // namespace plumb::server
