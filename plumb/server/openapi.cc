#include <fmt/format.h>

#include <algorithm>

#include "plumb/base/version.h"
#include "plumb/server/api.h"

namespace plumb::server {
namespace {

using study::Role;

// What one of the names in Takes says.
struct Field {
  std::string name, type = "string";
  bool required = true;
};

std::vector<Field> fields_of(std::string_view words) {
  std::vector<Field> fields;
  while (!words.empty()) {
    std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    Field field;
    if (const auto colon = word.find(':'); colon != std::string_view::npos) {
      field.type = word.substr(colon + 1);
      word = word.substr(0, colon);
    }
    if (word.ends_with('?')) {
      field.required = false;
      word.remove_suffix(1);
    }
    field.name = word;
    fields.push_back(std::move(field));
  }
  return fields;
}

Json parameter(std::string_view in, const Field& field) {
  return {{"name", field.name},
          {"in", in},
          {"required", field.required},
          {"schema", {{"type", field.type}}}};
}

Json parameters_of(const Route& route) {
  Json all = Json::array();
  for (const char* name : {"study", "slot", "item", "account", "token"}) {
    const bool has = route.pattern.find(fmt::format("{{{}}}", name)) != std::string_view::npos;
    if (has) all.push_back(parameter("path", {name, "integer"}));
  }
  for (const Field& field : fields_of(route.takes.query)) all.push_back(parameter("query", field));
  if (route.method != "GET") all.push_back(parameter("header", {"X-Plumb"}));
  if (route.takes.keyed) all.push_back(parameter("header", {"Idempotency-Key"}));
  if (route.takes.revised) all.push_back(parameter("header", {"If-Match", "integer", false}));
  return all;
}

Json body_of(const Route& route) {
  Json properties = Json::object(), required = Json::array();
  for (const Field& field : fields_of(route.takes.body)) {
    properties[field.name] = {{"type", field.type}};
    if (field.required) required.push_back(field.name);
  }
  const bool needed = !required.empty();
  Json schema = {
      {"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
  return {{"required", needed},
          {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

Json operation_of(const Route& route) {
  Json operation = {
      {"summary", route.summary},
      {"responses",
       {{"200", {{"description", "done"}}}, {"default", {{"description", "{\"error\": words}"}}}}}};
  Json roles = Json::array();
  for (const Role role : study::kRoles) {
    if ((route.roles & bit(role)) != 0) roles.push_back(role_name(role));
  }
  operation["x-roles"] = route.roles == kOpen ? Json("open") : roles;
  operation["security"] = Json::array();
  if (route.roles != kOpen) operation["security"].push_back({{"session", Json::array()}});
  if (route.roles != kOpen && (route.roles & kInPerson) == 0) {
    operation["security"].push_back({{"program", Json::array()}});
  }
  if (Json parameters = parameters_of(route); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (!route.takes.body.empty()) operation["requestBody"] = body_of(route);
  return operation;
}

}  // namespace

Json openapi() {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    std::string method(route.method);
    std::ranges::transform(method, method.begin(), [](char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    paths[std::string(route.pattern)][method] = operation_of(route);
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "plumb, the annotation studio"}, {"version", kVersion}}},
          {"components",
           {{"securitySchemes",
             {{"session",
               {{"type", "apiKey"},
                {"in", "cookie"},
                {"name", "plumb"},
                {"description", "__Host-plumb behind https"}}},
              {"program", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
          {"paths", std::move(paths)}};
}

}  // namespace plumb::server
