// PublicSealingTests: what anyone seals with the public key only the private key opens, and only in its place.
import MeridianModel
import Testing

@testable import MeridianContent

@Suite("Sealing with a public key")
struct PublicSealingTests {
    private static let owner = "Secret/default/db/PASSWORD"

    @Test("a value comes back, of any length", arguments: [0, 1, 15, 16, 17, 5000])
    func roundTrip(length: Int) throws {
        let key = try PrivateSealingKey()
        let plain = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        let sealed = try key.publicKey.seal(plain, for: Self.owner)
        #expect(try key.open(sealed, for: Self.owner) == plain)
        #expect(PublicSealing.isSealed(sealed))
        #expect(PublicSealing.keyID(of: sealed) == key.publicKey.id)
        #expect(try key.publicKey.seal(plain, for: Self.owner) != sealed, "sealing twice gives two texts")
    }

    @Test(
        "a value that was copied to another namespace, name or key does not open there",
        arguments: ["Secret/shop/db/PASSWORD", "Secret/default/other/PASSWORD", "Secret/default/db/OTHER", ""]
    )
    func bound(owner: String) throws {
        let key = try PrivateSealingKey()
        let sealed = try key.publicKey.seal(Array("hunter2".utf8), for: Self.owner)
        let error = #expect(throws: ContentError.self) { try key.open(sealed, for: owner) }
        #expect(error?.code == .corrupted)
        #expect(error?.message.contains("sealed for another namespace, name or key") == true)
    }

    @Test("another private key does not open it")
    func otherKey() throws {
        let sealed = try PrivateSealingKey().publicKey.seal(Array("hunter2".utf8), for: Self.owner)
        #expect(throws: ContentError.self) { try PrivateSealingKey().open(sealed, for: Self.owner) }
    }

    @Test("a text with any bit changed does not open")
    func changed() throws {
        let key = try PrivateSealingKey()
        let sealed = try key.publicKey.seal(Array("hunter2".utf8), for: Self.owner)
        let body = try #require(sealed.split(separator: ":").last)
        let bytes = try #require(Base64.bytes(of: String(body)))
        for position in bytes.indices {
            var other = bytes
            other[position] ^= 1 << UInt8(position % 8)
            // The top bit of a point says nothing (RFC 7748 §5); the point is mixed into the key as it was sent, though.
            let text = sealed.replacing(body, with: Base64.text(of: other))
            #expect(throws: ContentError.self, "bit in byte \(position)") { try key.open(text, for: Self.owner) }
        }
        for text in ["", "sealed:x25519:", "sealed:x25519:zz:AAAA", String(sealed.dropLast(4)), "sealed:v1:AAAA"] {
            #expect(throws: ContentError.self, "\(text)") { try key.open(text, for: Self.owner) }
        }
    }

    @Test("both sides agree as in RFC 7748 §6.1")
    func agreement() throws {
        func bytes(_ hex: String) -> [UInt8] {
            let digits = hex.compactMap(\.hexDigitValue)
            return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        }
        let alice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        let bob = bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
        let point = bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
        #expect(try X25519.publicKey(of: bob) == point)
        let secret = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(X25519.shared(alice, point) == secret)
        #expect(try X25519.shared(bob, X25519.publicKey(of: alice)) == secret)
    }

    @Test("the public key is PEM that openssl reads, and comes back from it")
    func pem() throws {
        let key = try PrivateSealingKey()
        #expect(try PublicSealingKey(pem: key.publicKey.pem) == key.publicKey)
        #expect(try PublicSealingKey(pem: key.publicKey.pem.replacing("\n", with: "\r\n")) == key.publicKey)
        #expect(try PrivateSealingKey(bytes: key.stored).publicKey == key.publicKey)
        for text in [
            "", "x", key.publicKey.pem.replacing("PUBLIC", with: "PRIVATE"), String(key.publicKey.pem.dropFirst(30)),
        ] {
            #expect(throws: ContentError.self) { try PublicSealingKey(pem: text) }
        }
        try withDirectory { directory in
            try DurableFile.write(Array(key.publicKey.pem.utf8), to: "\(directory)/key.pem")
            guard let read = run("openssl pkey -pubin -in \(directory)/key.pem -noout -text") else { return }
            #expect(read.status == 0 && read.output.contains("X25519"), "\(read.output)")
        }
    }

    @Test("a point of low order is refused rather than sealed with")
    func lowOrder() {
        let zero = PublicSealingKey(bytes: [UInt8](repeating: 0, count: 32))
        #expect(throws: ContentError.self) { try zero.seal([1], for: Self.owner) }
    }
}
