// AccessTests: TLS and tokens against a real listener: who gets in, as what, and with which words the others do not.
import MeridianAPIClient
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianAPIServer

@Suite("Access to the API")
struct AccessTests {
    /// A certificate for 127.0.0.1 and the authority that clients believe.
    private static func identity() throws -> (CertifiedKey, authority: CertifiedKey) {
        let now = WallClock().now
        let authority = try CertifiedKey.authority(named: "test", from: now, until: now + .seconds(3600))
        let names = try CertificateNames(["127.0.0.1", "localhost"])
        return (try authority.issue(for: names, from: now, until: now + .seconds(3600)), authority)
    }

    /// Stores an AccessToken and gives its text.
    private static func token(
        _ server: TestServer,
        _ name: String,
        _ role: AccessRole,
        namespaces: [String] = [],
        expiresAt: Timestamp? = nil
    ) async throws -> String {
        let text = try TokenText(makingFor: name)
        var token = AccessToken(metadata: Metadata(name: name), spec: AccessTokenSpec())
        token.spec.role = role
        token.spec.namespaces = namespaces
        token.spec.digest = text.digest
        token.spec.expiresAt = expiresAt
        try await server.store.commit([.put(token.key, token.encoded(), .any)])
        return text.description
    }

    /// What a request with a token leads to: nil where it is answered, else the HTTP status.
    private static func outcome(
        _ server: TestServer,
        _ credentials: APICredentials,
        _ request: (APIClient) async throws -> Void
    ) async throws -> Int? {
        do {
            try await APIClient.withClient(server: server.url, credentials: credentials, request)
            return nil
        } catch let error as APIClientError {
            return error.httpStatus ?? -1
        }
    }

    @Test("on plain loopback nobody needs a token, a given one counts, and a bad one is refused")
    func loopback() async throws {
        try await TestServer.run { server in
            let viewer = try await Self.token(server, "look", .viewer)
            let apply: (APIClient) async throws -> Void = { _ = try await $0.apply(.app("a"), .app("a")) }
            #expect(try await Self.outcome(server, APICredentials(), apply) == nil)
            #expect(try await Self.outcome(server, APICredentials(token: viewer), apply) == 403)
            #expect(try await Self.outcome(server, APICredentials(token: "mrd_look_0"), apply) == 401)
            #expect(try await Self.outcome(server, APICredentials(token: "x"), apply) == 401)
            let read: (APIClient) async throws -> Void = { _ = try await $0.getIfPresent(.app("a")) }
            #expect(try await Self.outcome(server, APICredentials(token: viewer), read) == nil)
        }
    }

    @Test("over TLS the token decides; without one only the version is told")
    func tls() async throws {
        let (identity, authority) = try Self.identity()
        let listening = try ServerIdentity(certificate: identity.certificate, key: identity.key)
        try await TestServer.run(identity: listening) { server in
            let trusted = authority.certificate
            func outcome(_ token: String?, _ request: (APIClient) async throws -> Void) async throws -> Int? {
                let credentials = APICredentials(certificateAuthority: trusted, token: token)
                return try await Self.outcome(server, credentials, request)
            }
            let version: (APIClient) async throws -> Void = { _ = try await $0.version() }
            let read: (APIClient) async throws -> Void = { _ = try await $0.getIfPresent(.app("a")) }
            let write: (APIClient) async throws -> Void = { _ = try await $0.apply(.app("a"), .app("a")) }
            #expect(try await outcome(nil, version) == nil)
            #expect(try await outcome(nil, read) == 401)
            let editor = try await Self.token(server, "ci", .editor, namespaces: ["default"])
            #expect(try await outcome(editor, write) == nil)
            let elsewhere = try await Self.token(server, "other", .editor, namespaces: ["shop"])
            #expect(try await outcome(elsewhere, read) == 403)
            let old = try await Self.token(server, "old", .admin, expiresAt: WallClock().now + .seconds(-1))
            #expect(try await outcome(old, read) == 401)
            try await server.store.commit([.delete(ObjectKey(kind: AccessToken.kind, name: "ci"), .any)])
            #expect(try await outcome(editor, read) == 401, "a deleted token ends at once")
            // Another name's secret does not open this name.
            let swapped = "mrd_other_" + (old.split(separator: "_").last.map(String.init) ?? "")
            #expect(try await outcome(swapped, read) == 401)
        }
    }

    @Test("a client that does not know the authority sends nothing; a replaced certificate holds for new connections")
    func trust() async throws {
        let (identity, authority) = try Self.identity()
        let (other, otherAuthority) = try Self.identity()
        let listening = try ServerIdentity(certificate: identity.certificate, key: identity.key)
        try await TestServer.run(identity: listening) { server in
            func version(_ authority: String?) async throws -> Int? {
                let credentials = APICredentials(certificateAuthority: authority)
                return try await Self.outcome(server, credentials) { _ = try await $0.version() }
            }
            #expect(try await version(nil) == -1)
            #expect(try await version(otherAuthority.certificate) == -1)
            #expect(try await version(authority.certificate) == nil)
            try listening.replace(certificate: other.certificate, key: other.key)
            #expect(try await version(otherAuthority.certificate) == nil)
            #expect(try await version(authority.certificate) == -1)
            #expect(throws: APIServerError.self) {
                try listening.replace(certificate: identity.certificate, key: other.key)
            }
            #expect(try await version(otherAuthority.certificate) == nil)
        }
    }

    @Test("a token is not sent in the clear to another machine")
    func clear() {
        let credentials = APICredentials(token: "t")
        #expect(throws: APIClientError.self) { try APIClient(server: "http://10.0.0.1:7700", credentials: credentials) }
        #expect(throws: APIClientError.self) {
            try APIClient(server: "http://127.0.0.1.example:7700", credentials: credentials)
        }
    }

    @Test("a plan tells a viewer nothing of secrets, nor of namespaces that are not the viewer's")
    func plans() async throws {
        try await TestServer.run { server in
            let viewer = try await Self.token(server, "look", .viewer, namespaces: ["default"])
            let secret: JSONValue = [
                "apiVersion": "meridian.dev/v1", "kind": "Secret", "metadata": ["name": "db"],
                "stringData": ["PASSWORD": "guess"],
            ]
            func plan(_ objects: [JSONValue]) async throws -> Int? {
                let credentials = APICredentials(token: viewer)
                return try await Self.outcome(server, credentials) { _ = try await $0.plan(objects) }
            }
            #expect(try await plan([.app("a")]) == nil)
            #expect(try await plan([secret]) == 403)
            #expect(try await plan([]) == 403)
        }
    }
}
