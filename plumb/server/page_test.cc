#include "plumb/server/page.h"

#include <gtest/gtest.h>

namespace plumb::server {
namespace {

TEST(PageTest, TheBuildPackedAPageWhoseFilesAreAllThere) {
  const PageFile* page = page_file("/");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->type, "text/html; charset=utf-8");
  EXPECT_FALSE(page->is_immutable());
  const std::string_view html = page->plain;
  std::size_t named = 0;
  for (std::size_t at = html.find("\"/assets/"); at != std::string_view::npos;
       at = html.find("\"/assets/", at + 1)) {
    const auto path = html.substr(at + 1, html.find('"', at + 1) - at - 1);
    const PageFile* file = page_file(path);
    ASSERT_NE(file, nullptr) << path;
    EXPECT_TRUE(file->is_immutable());
    EXPECT_LT(file->gzip.size(), file->plain.size());
    EXPECT_EQ(file->gzip.substr(0, 2), "\x1f\x8b");
    ++named;
  }
  EXPECT_GE(named, 2U) << "a script and a style";
  EXPECT_EQ(page_file("/assets/none.js"), nullptr);
}

TEST(PageTest, ThePageHasNoScriptAndNoStyleInItsText) {
  const std::string_view html = page_file("/")->plain;
  EXPECT_EQ(html.find("<style"), std::string_view::npos);
  EXPECT_EQ(html.find("style="), std::string_view::npos);
  EXPECT_EQ(html.find("<script>"), std::string_view::npos);
}

TEST(PageTest, APackSaysWhereTheBytesOfItsFilesAre) {
  const auto files = read_pack(R"([{"path":"/","type":"text/html","plain":[0,2],"gzip":[2,1]}])"
                               "\nabc");
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(files->front().plain, "ab");
  EXPECT_EQ(files->front().gzip, "c");
}

TEST(PageTest, WhatIsNoPackIsRefused) {
  EXPECT_FALSE(read_pack(""));
  EXPECT_FALSE(read_pack("{}\n"));
  EXPECT_FALSE(read_pack("[1]\n"));
  EXPECT_FALSE(read_pack(R"([{"path":"/","type":"t","plain":[0,1],"gzip":[0,0]}])"
                         "\n"));
  EXPECT_FALSE(read_pack(R"([{"path":"/","type":"t","plain":[-1,1],"gzip":[0,0]}])"
                         "\nab"));
}

TEST(PageTest, GzipIsSentToWhoTakesIt) {
  EXPECT_TRUE(accepts_gzip("gzip, deflate, br"));
  EXPECT_TRUE(accepts_gzip("br, gzip;q=0.5"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0, br"));
  EXPECT_FALSE(accepts_gzip("gzip; q=0.0"));
  EXPECT_FALSE(accepts_gzip("br"));
  EXPECT_FALSE(accepts_gzip(""));
}

}  // namespace
}  // namespace plumb::server
