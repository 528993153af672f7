// plumb doctor: what this program is made of and what it runs on.
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <simdjson.h>
#include <sodium.h>
#include <sys/utsname.h>
#include <unicode/uversion.h>
#include <zlib.h>
#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "plumb/base/parallel.h"
#include "plumb/base/version.h"
#include "plumb/cli/options.h"
#include "plumb/nn/kernels.h"

namespace plumb::cli {
namespace {

std::vector<std::string> processor_features() {
  std::vector<std::string> features;
#if defined(__x86_64__)
  const std::pair<const char*, int> known[] = {
      {"sse4.2", __builtin_cpu_supports("sse4.2")},
      {"avx2", __builtin_cpu_supports("avx2")},
      {"fma", __builtin_cpu_supports("fma")},
      {"avx512f", __builtin_cpu_supports("avx512f")},
      {"avx512bw", __builtin_cpu_supports("avx512bw")},
      {"avx512vnni", __builtin_cpu_supports("avx512vnni")}};
  for (const auto& [name, there] : known) {
    if (there != 0) features.emplace_back(name);
  }
#endif
  return features;
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::string icu_version() {
  UVersionInfo version;
  u_getVersion(version);
  char text[U_MAX_VERSION_STRING_LENGTH];
  u_versionToString(version, text);
  return text;
}

Json libraries() {
  return {{"boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                                BOOST_VERSION % 100)},
          {"CLI11", CLI11_VERSION},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                              FMT_VERSION % 100)},
          {"ICU", icu_version()},
          {"libsodium", sodium_version_string()},
          {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                        NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
          {"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
          {"zlib", zlibVersion()},
          {"simdjson", fmt::format("{} ({})", SIMDJSON_STRINGIFY(SIMDJSON_VERSION),
                                   simdjson::get_active_implementation()->name())}};
}

Json examine() {
  Json json;
  json["schema"] = "plumb.doctor/1";
  json["version"] = kVersion;
  json["compiler"] = compiler();
#if defined(NDEBUG)
  json["build"] = "release";
#else
  json["build"] = "with assertions";
#endif
  utsname system{};
  if (::uname(&system) == 0) {
    json["system"] = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
  }
  json["threads"] = default_threads();
  json["processor_features"] = processor_features();
  json["kernels"] = nn::kernels().name;
  json["libraries"] = libraries();
  std::error_code code;
  const auto space = std::filesystem::space(".", code);
  json["disk_free_bytes"] = code ? Json(nullptr) : Json(space.available);
  return json;
}

report::Table as_table(const Json& found) {
  report::Table table{{{"what"}, {"found"}}, {}};
  for (const auto& [key, value] : found.items()) {
    if (key == "libraries") {
      for (const auto& [name, version] : value.items()) table.rows.push_back({name, version});
    } else if (key == "processor_features") {
      std::string all;
      for (const auto& feature : value) all += feature.get<std::string>() + " ";
      table.rows.push_back({"processor", all});
    } else if (key == "disk_free_bytes" && value.is_number()) {
      table.rows.push_back(
          {"disk free", fmt::format("{:.1f} GiB here", value.get<double>() / 0x1p30)});
    } else if (key != "schema") {
      table.rows.push_back({key, value.is_string() ? value.get<std::string>() : value.dump()});
    }
  }
  return table;
}

}  // namespace

void add_doctor(CLI::App& app, Program& program) {
  auto output = std::make_shared<OutputOptions>();
  CLI::App* verb = app.add_subcommand("doctor",
                                      "Example:\n  plumb doctor --json\n\n"
                                      "Version, compiler, processor, libraries, disk.");
  output->declare(*verb);
  verb->callback([output, &program] {
    program.action = [output]() -> Result<void> {
      const Json found = examine();
      return write({.json = [&] { return found; },
                    .records = [&] { return as_table(found); },
                    .text = [&](auto terminal) { return to_terminal(as_table(found), terminal); },
                    .markdown = [&] { return to_markdown(as_table(found)); }},
                   *output);
    };
  });
}

}  // namespace plumb::cli
