// CertificateTests: certificates as the openssl program sees them.
import Glibc
import MeridianModel
import Testing

@testable import MeridianContent

@Suite("Certificates")
struct CertificateTests {
    private static let start = Timestamp(milliseconds: 1_790_000_000_000)
    private static let end = start + .seconds(90 * 86_400)

    @Test("a certificate names what it was issued for, ends when it shall, and is its authority's")
    func issued() throws {
        let names = try CertificateNames(["Example.org", "127.0.0.1", "::1", "localhost", "localhost"])
        #expect(names.all == ["example.org", "localhost", "127.0.0.1", "::1"])
        let authority = try CertifiedKey.authority(named: "test authority", from: Self.start, until: Self.end)
        let issued = try authority.issue(for: names, from: Self.start, until: Self.end)
        #expect(try issued.end() == Self.end)
        #expect(try issued.covers(names))
        #expect(try !issued.covers(CertificateNames(["other.org"])))
        #expect(try !issued.covers(CertificateNames(["10.0.0.1"])))
        #expect(try issued.isIssued(by: authority))
        let other = try CertifiedKey.authority(named: "test authority", from: Self.start, until: Self.end)
        #expect(try !issued.isIssued(by: other))
        #expect(try issued.isPair())
        #expect(try !CertifiedKey(certificate: issued.certificate, key: other.key).isPair())
    }

    @Test("names that could be read as more than one name are refused", arguments: ["a,DNS:b", "", "a b", "*.a.org"])
    func names(_ name: String) { #expect(throws: ContentError.self) { try CertificateNames([name]) } }

    @Test("what is no PEM text is an error, not a crash", arguments: ["", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
    func broken(_ text: String) {
        #expect(throws: ContentError.self) { try CertifiedKey(certificate: text, key: text).end() }
        #expect(throws: ContentError.self) { try CertifiedKey(certificate: text, key: text).isPair() }
    }

    @Test("the openssl program verifies the chain, the purpose and the name")
    func independent() throws {
        guard Glibc.system("openssl version >/dev/null 2>&1") == 0 else {
            print("skipped: the openssl program is not installed")
            return
        }
        try withDirectory { folder in
            let now = Timestamp(milliseconds: Int64(time(nil)) * 1000)
            let authority = try CertifiedKey.authority(
                named: "test authority",
                from: now,
                until: now + .seconds(86_400)
            )
            let names = try CertificateNames(["a.example"])
            let issued = try authority.issue(for: names, from: now, until: now + .seconds(3600))
            try DurableFile.write(Array(authority.certificate.utf8), to: "\(folder)/ca.crt")
            try DurableFile.write(Array(issued.certificate.utf8), to: "\(folder)/a.crt")
            let verify = "cd \(folder) && openssl verify -x509_strict -purpose sslserver -CAfile ca.crt"
            #expect(Glibc.system("\(verify) -verify_hostname a.example a.crt >/dev/null") == 0)
            #expect(Glibc.system("\(verify) -verify_hostname b.example a.crt >/dev/null 2>&1") != 0)
        }
    }
}
