// CertificateBook: which certificate a TLS connection gets, by the name that the client asks for (RFC 6066 §3).
internal import CTLS
internal import Synchronization

/// The certificates of an edge; all loops read it in handshakes, and a reload replaces its contents at once.
///
/// Connections keep the context that they began with, so a reload drops none. Tickets are sealed with keys of this
/// process, so that a session is resumed on any loop and across reloads.
///
/// `@unchecked Sendable`: `choice` is written once before any loop has the book; the rest is behind a lock.
final class CertificateBook: @unchecked Sendable {
    private struct Contents {
        var byHost: [String: TLSContext] = [:]
        /// For clients that name no host: the first certificate.
        var unnamed: TLSContext?
        /// Made by the issuer.
        var issued: [String: TLSContext] = [:]
    }

    /// Issued certificates that are kept; more hosts begin anew, since an issuer answers for a machine's own apps.
    private static let issuedMax = 1024

    private let ticketKeys: [UInt8]
    private let offersH2: Bool
    private let issuer: CertificateIssuer?
    private let base: TLSContext
    private let choice: UnsafeMutablePointer<ctls_choice>
    private let contents = Mutex(Contents())

    init(offersH2: Bool, issuer: CertificateIssuer?) throws(EdgeError) {
        var keys = [UInt8](repeating: 0, count: Int(ctls_ticket_key_bytes))
        guard ctls_random(&keys, keys.count) == 1, let base = ctls_context_new(keys, offersH2 ? 1 : 0) else {
            throw EdgeError(code: .noResources, message: "OpenSSL gives no TLS context; look at its configuration")
        }
        ticketKeys = keys
        self.offersH2 = offersH2
        self.issuer = issuer
        self.base = TLSContext(base)
        choice = .allocate(capacity: 1)
        // The book outlives the base context, and with it every call of the chooser: connections are closed before.
        choice.initialize(
            to: ctls_choice(
                choose: { argument, host in
                    guard let argument else { return nil }
                    let book = Unmanaged<CertificateBook>.fromOpaque(argument).takeUnretainedValue()
                    return book.context(for: host.map { String(cString: $0) })?.retained()
                },
                argument: Unmanaged.passUnretained(self).toOpaque()
            )
        )
        ctls_context_set_choice(base, choice)
    }

    deinit { choice.deallocate() }

    /// Replaces all certificates; gives why some are refused: their hosts keep the last good one.
    func replace(_ certificates: [EdgeCertificate]) -> [EdgeError] {
        var fresh = Contents()
        var refused: [EdgeError] = []
        let last = contents.withLock { $0.byHost }
        for certificate in certificates {
            do throws(EdgeError) {
                let context = try makeContext(certificate)
                for host in certificate.hosts { fresh.byHost[host] = context }
                if fresh.unnamed == nil { fresh.unnamed = context }
            } catch {
                for host in certificate.hosts { fresh.byHost[host] = last[host] }
                refused.append(error)
            }
        }
        let replacement = fresh
        contents.withLock { $0 = replacement }
        return refused
    }

    /// Begins TLS on an accepted socket; nil where memory is short.
    func accept(_ socket: Int32) -> OpaquePointer? { ctls_accept(base.pointer, socket) }

    private func context(for host: String?) -> TLSContext? {
        guard let host = host?.lowercased() else { return contents.withLock { $0.unnamed } }
        let known = contents.withLock { contents in
            contents.byHost[host] ?? contents.byHost[wildcard(over: host)] ?? contents.issued[host]
        }
        if let known { return known }
        guard let issuer, let certificate = issuer(host), let made = try? makeContext(certificate) else { return nil }
        contents.withLock { contents in
            if contents.issued.count >= Self.issuedMax { contents.issued = [:] }
            contents.issued[host] = made
        }
        return made
    }

    private func wildcard(over host: String) -> String { "*" + host.drop { $0 != "." } }

    private func makeContext(_ certificate: EdgeCertificate) throws(EdgeError) -> TLSContext {
        guard let made = ctls_context_new(ticketKeys, offersH2 ? 1 : 0) else {
            throw EdgeError(code: .noResources, message: "OpenSSL gives no TLS context; look at its configuration")
        }
        let context = TLSContext(made)
        var reason = [CChar](repeating: 0, count: 256)
        let isPair = ctls_context_set_certificate(
            made,
            certificate.chain,
            certificate.chain.utf8.count,
            certificate.key,
            certificate.key.utf8.count,
            &reason,
            reason.count
        )
        guard isPair == 1 else {
            let words = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw EdgeError(
                code: .badCertificate,
                message: "the certificate of \(certificate.hosts.joined(separator: ", ")) is refused: \(words); "
                    + "give a PEM chain, the host's own certificate first, and its PEM key"
            )
        }
        return context
    }
}

/// Owns one reference to an OpenSSL context.
///
/// `@unchecked Sendable`: a context is not changed once it is in a book, and OpenSSL counts its references atomically.
private final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { ctls_context_release(pointer) }

    /// The pointer with a reference of its own, for the one who gets it.
    func retained() -> OpaquePointer {
        ctls_context_retain(pointer)
        return pointer
    }
}
