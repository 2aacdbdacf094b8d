// SplitMix: seeded randomness for property tests, and random objects and sets of the small schema.
import MeridianModel

@testable import MeridianMerging

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    private mutating func word() -> String { ["a", "b", "c"].randomElement(using: &self) ?? "a" }

    private mutating func number() -> JSONValue { .integer(Int64.random(in: 0..<3, using: &self)) }

    /// A few paths over few names, so that sets meet.
    mutating func fieldSet() -> FieldSet {
        let elements: [PathElement] = [
            .field("a"), .field("b"), .key([(name: "n", value: 1)]), .item("x"), .item(1), .index(0),
        ]
        return FieldSet(
            (0..<Int.random(in: 0..<8, using: &self)).map { _ in
                (0..<Int.random(in: 1..<4, using: &self)).map { _ in
                    elements.randomElement(using: &self) ?? .index(0)
                }
            }
        )
    }

    /// An object of the schema of ownership.txt, over few names and values, so that objects meet.
    mutating func object() -> JSONValue {
        var object = JSONObject()
        if chance(50) { object["name"] = .string(word()) }
        if chance(30) { object["number"] = number() }
        if chance(40) {
            var inner = JSONObject()
            if chance(60) { inner["a"] = number() }
            if chance(40) { inner["inner"] = .object(JSONObject([.init(key: "c", value: number())])) }
            object["object"] = .object(inner)
        }
        if chance(50) { object["map"] = .object(map()) }
        if chance(30) { object["atomicList"] = .array([number(), number()]) }
        if chance(40) { object["set"] = .array(words().map { .string($0) }) }
        if chance(50) {
            let items = words().map { name -> JSONValue in
                var item = JSONObject([.init(key: "name", value: .string(name))])
                if chance(60) { item["value"] = number() }
                if chance(30) { item["tags"] = .array(words().map { .string($0) }) }
                return .object(item)
            }
            object["items"] = .array(items)
        }
        return .object(object)
    }

    private mutating func words() -> [String] {
        ["a", "b", "c"].filter { _ in chance(50) }.shuffled(using: &self)
    }

    private mutating func map() -> JSONObject {
        var map = JSONObject()
        for key in words() { map[key] = number() }
        return map
    }
}
