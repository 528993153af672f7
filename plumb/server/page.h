// The studio's page as files in memory, which the build packed into the program
// (web/vite.studio.config.ts).
//
//   const PageFile* file = page_file("/");   // nullptr: the page has no such file
//
// Names of scripts and styles carry a hash of their bytes, so that they may be kept for ever; "/"
// is asked for again under its tag.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plumb/base/result.h"

namespace plumb::server {

struct PageFile {
  std::string path;  // "/", "/assets/studio-C3x1.js"
  std::string type;  // "text/html; charset=utf-8"
  std::string_view plain, gzip;
  std::string tag;  // of HTTP, with its quotes

  bool is_immutable() const { return path != "/"; }
};

const PageFile* page_file(std::string_view path);

// Whether a header Accept-Encoding names gzip without refusing it.
bool accepts_gzip(std::string_view header);

// A pack is a line of JSON, [{"path","type","plain":[begin,size],"gzip":[begin,size]}], and the
// bytes that it speaks of. The files point into the pack. kBadInput: it is none.
Result<std::vector<PageFile>> read_pack(std::string_view pack);

}  // namespace plumb::server
