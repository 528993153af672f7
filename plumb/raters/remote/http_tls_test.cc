// https: the certificate of the server is checked. The tests make one of their own.

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "plumb/base/files.h"
#include "plumb/raters/remote/testing_server.h"

namespace plumb::raters {
namespace {

// A key and a certificate that it signs for itself, valid for a day.
struct SelfSigned {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  X509* certificate = X509_new();

  explicit SelfSigned(const char* names) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("a test"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, key, EVP_sha256());
  }
  ~SelfSigned() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  SelfSigned(const SelfSigned&) = delete;
  SelfSigned& operator=(const SelfSigned&) = delete;

  std::string pem() const {
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, certificate);
    char* bytes = nullptr;
    const auto length = BIO_get_mem_data(memory, &bytes);
    std::string text(bytes, static_cast<std::size_t>(length));
    BIO_free(memory);
    return text;
  }
};

class TlsServer {
 public:
  explicit TlsServer(const SelfSigned& identity) : server_(identity.certificate, identity.key) {
    server_.set_keep_alive_timeout(1);
    server_.Post("/.*", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(request.body, "application/json");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~TlsServer() { server_.stop(); }

  // The answer of the server to one who trusts this certificate.
  Result<HttpReply> asked_by_one_who_trusts(const std::string& pem) const {
    testing::FakeTime time;
    const auto file =
        std::filesystem::temp_directory_path() / fmt::format("plumb-tls-test-{}.pem", ::getpid());
    EXPECT_TRUE(write_file_atomic(file, pem));
    HttpOptions options;
    options.connection.certificate_file = file.string();
    options.tries = 2;
    options.clock = time.clock();
    const HttpAddress address{.secure = true, .host = "127.0.0.1", .port = port_, .path = "/v1"};
    auto reply = HttpClient::make(address, options).value()->post("/x", {{"a", 1}}, 0, {});
    std::filesystem::remove(file);
    return reply;
  }

 private:
  httplib::SSLServer server_;
  int port_ = 0;
  std::jthread thread_;
};

TEST(HttpsClient, TalksToAServerWhoseCertificateIsTrusted) {
  const SelfSigned identity("IP:127.0.0.1");
  const TlsServer server(identity);
  const auto reply = server.asked_by_one_who_trusts(identity.pem());
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->body["a"], 1);
}

TEST(HttpsClient, RefusesACertificateThatNobodyVouchesForAtOnce) {
  const SelfSigned identity("IP:127.0.0.1"), other("IP:127.0.0.1");
  const TlsServer server(identity);
  const auto reply = server.asked_by_one_who_trusts(other.pem());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(reply.error().message.find("not trusted"), std::string::npos) << reply.error().message;
  EXPECT_EQ(reply.error().message.find("tried"), std::string::npos);
}

TEST(HttpsClient, RefusesACertificateOfAnotherHost) {
  const SelfSigned identity("DNS:example.org");
  const TlsServer server(identity);
  EXPECT_FALSE(server.asked_by_one_who_trusts(identity.pem()));
}

}  // namespace
}  // namespace plumb::raters
