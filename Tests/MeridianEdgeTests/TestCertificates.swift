// TestCertificates: an authority and certificates of its own for tests with TLS, made by the openssl program.
import Glibc
import MeridianEdge

/// A directory with an authority; removed with the object.
final class TestCertificates: Sendable {
    let directory: String
    /// The authority's certificate, as curl takes it.
    var authority: String { "\(directory)/ca.pem" }

    init() throws {
        var template = Array("/tmp/edge-tls-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SocketFailure(description: "mkdtemp: errno \(errno)") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try shell("\(newKey("ca")) && openssl req -x509 -key ca.key -subj '/CN=Test Authority' -days 2 -out ca.pem")
    }

    deinit { system("rm -rf '\(directory)'") }

    /// A certificate that the authority signed for some hosts.
    func issue(_ hosts: String..., named name: String = "leaf") throws -> EdgeCertificate {
        let names = hosts.map { "DNS:\($0)" }.joined(separator: ",")
        try shell(
            "\(newKey(name)) && openssl req -new -key \(name).key -subj '/CN=\(hosts[0])' -out \(name).csr"
                + " && printf 'subjectAltName=\(names)' >\(name).ext"
                + " && openssl x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
                + " -extfile \(name).ext -out \(name).pem"
        )
        return try EdgeCertificate(hosts: hosts, chain: read("\(name).pem"), key: read("\(name).key"))
    }

    private func newKey(_ name: String) -> String {
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out \(name).key"
    }

    private func shell(_ command: String) throws {
        guard system("cd '\(directory)' && { \(command); } >/dev/null 2>&1") == 0 else {
            throw SocketFailure(description: "failed: \(command)")
        }
    }

    private func read(_ name: String) throws -> String { try run("cat '\(directory)/\(name)'") }
}
