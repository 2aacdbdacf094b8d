// RulesTests: ranges of addresses and paces of requests.
import MeridianModel
import Testing

@testable import MeridianRouting

@Suite("The rules of a policy")
struct RulesTests {
    private func number(_ text: String) throws -> UInt128 {
        let range = try #require(AddressRange(text))
        #expect(range.bounds.lowerBound == range.bounds.upperBound)
        return range.bounds.lowerBound
    }

    @Test("ranges hold their ends, and nothing next to them, whether they touch, overlap or lie apart")
    func ranges() throws {
        let set = AddressSet(["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::/127"])
        for (text, isWithin) in [
            ("10.0.0.0", true), ("9.255.255.255", false), ("11.255.255.255", true), ("12.0.0.0", false),
            ("192.0.2.7", true), ("192.0.2.6", false), ("192.0.2.8", false), ("2001:db8::", true),
            ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true), ("2001:db9::", false), ("::1", true), ("::2", false),
            ("::ffff:a00:1", true),
        ] {
            #expect(set.contains(try number(text)) == isWithin, "\(text)")
        }
        #expect(!AddressSet([]).contains(0))
        #expect(AddressSet(["::/0"]).contains(.max) && AddressSet(["::/0"]).contains(0))
        // A range of one kind of address holds none of the other.
        #expect(!AddressSet(["::/0"]).contains(try number("203.0.113.1")))
        #expect(AddressSet(["0.0.0.0/0"]).contains(try number("203.0.113.1")))
        #expect(!AddressSet(["0.0.0.0/0"]).contains(try number("2001:db8::1")))
    }

    @Test("a random set agrees with a look at each of its ranges")
    func agreement() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let texts = (0..<Int.random(in: 1...20, using: &random)).map { _ in
                "10.0.\(UInt8.random(in: 0...7)).\(UInt8.random(in: 0...255))/\(Int.random(in: 20...32))"
            }
            let set = AddressSet(texts)
            let ranges = texts.compactMap { AddressRange($0)?.bounds }
            for _ in 0..<200 {
                let address = try number("10.0.\(UInt8.random(in: 0...8)).\(UInt8.random(in: 0...255))")
                #expect(set.contains(address) == ranges.contains { $0.contains(address) }, "\(texts) \(address)")
            }
        }
    }

    @Test("a pace never overflows")
    func paces() {
        #expect(RequestPace(RequestRate(10)) == RequestPace(RequestRate(10, burst: 10)))
        #expect(RequestPace(RequestRate(10)).interval == 100_000_000)
        #expect(RequestPace(RequestRate(10, burst: 1)).slack == 0)
        let slow = RequestPace(RequestRate(1, per: .seconds(86_400), burst: 10_000_000))
        #expect(slow.slack > 0 && slow.interval == 86_400_000_000_000)
    }
}
