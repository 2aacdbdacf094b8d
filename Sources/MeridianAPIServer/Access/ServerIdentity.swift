// ServerIdentity: the certificate that the API proves itself with, exchangeable while it listens.
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// A certificate and its key; connections that begin later see a replacement, those that are open keep theirs.
package final class ServerIdentity: Sendable {
    private let current: Mutex<Loaded>

    private struct Loaded: Sendable {
        let chain: [NIOSSLCertificateSource]
        let key: NIOSSLPrivateKeySource

        /// The settings of a listener that proves itself with this.
        var configuration: TLSConfiguration {
            var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return configuration
        }

        /// - Throws: where the texts are no certificate and key, or do not belong together.
        init(_ certificate: String, _ key: String) throws(APIServerError) {
            do {
                chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) }
                self.key = .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
                // What a handshake would find wrong, such as a key of another certificate, is found here.
                _ = try NIOSSLContext(configuration: configuration)
            } catch {
                throw APIServerError("the API's certificate and key cannot be used together: \(error)")
            }
        }
    }

    /// Both as PEM text; the certificate may be a chain that begins with the server's own.
    ///
    /// - Throws: where the texts are none, or do not belong together.
    package init(certificate: String, key: String) throws(APIServerError) {
        current = Mutex(try Loaded(certificate, key))
    }

    /// Proves itself with another certificate from now on; keeps the old one where this throws.
    package func replace(certificate: String, key: String) throws(APIServerError) {
        let next = try Loaded(certificate, key)
        current.withLock { $0 = next }
    }

    /// The settings of a listener that asks for the identity at each handshake.
    func configuration() -> TLSConfiguration {
        var configuration = current.withLock { $0 }.configuration
        configuration.sslContextCallback = { [self] _, promise in
            let now = current.withLock { $0 }
            var answer = NIOSSLContextConfigurationOverride()
            answer.certificateChain = now.chain
            answer.privateKey = now.key
            promise.succeed(answer)
        }
        return configuration
    }
}
