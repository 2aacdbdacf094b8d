// YAMLSuiteTests: event reader and composer against yaml/yaml-test-suite.

import MeridianModel
import Testing

@testable import MeridianManifests

private let suitePath = corpus("yaml-test-suite/src")

/// One case of the suite.
private struct YAMLCase {
    let name: String
    let text: [UInt8]
    let mustFail: Bool
    /// The documents as JSON, where the suite defines them.
    let json: [JSONValue]?

    /// The cases of one file; a field that a case leaves out is the one of the case before, except `fail`.
    static func cases(in file: String, name: String) throws -> [YAMLCase] {
        let text = try FileReading.bytes(of: file, limit: 1 << 20)
        let documents = YAMLText.read(text)
        guard documents.problems.isEmpty, let list = documents.documents.first?.value.array else { return [] }
        var fields: [String: JSONValue] = [:]
        return list.enumerated().compactMap { index, entry in
            fields["fail"] = nil
            for member in entry.object?.members ?? [] { fields[member.key] = member.value }
            guard fields["skip"] == nil, let yaml = fields["yaml"]?.string else { return nil }
            return YAMLCase(
                name: "\(name)/\(index)",
                text: Array(withoutMarkers(yaml).utf8),
                mustFail: fields["fail"] == true,
                json: fields["json"]?.string.map {
                    LocatedValue.jsonDocuments(in: Array($0.utf8)).documents.map(\.value)
                }
            )
        }
    }

    /// The suite writes invisible characters as visible ones.
    private static func withoutMarkers(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "␣": result.append(" ")
            case "—", "↵": continue
            case "»": result.append("\t")
            case "⇔": result.append("\u{FEFF}")
            case "←": result.append("\r")
            case "∎": return String(result)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

private let cases: [YAMLCase] = {
    guard let suitePath, let entries = try? FileReading.entries(of: suitePath) else { return [] }
    return entries.flatMap { entry in
        (try? YAMLCase.cases(in: "\(suitePath)/\(entry.name)", name: entry.name)) ?? []
    }
}()

@Suite("yaml-test-suite", .enabled(if: suitePath != nil))
struct YAMLSuiteTests {
    private func eventsAccept(_ text: [UInt8]) -> Bool {
        text.withUnsafeBufferPointer { buffer in
            var events = YAMLEvents(bytes: buffer)
            while true {
                guard let event = try? events.next() else { return false }
                if case .streamEnd = event.kind { return true }
            }
        }
    }

    @Test("all cases of the suite are found")
    func complete() {
        #expect(cases.count == 402)
        #expect(cases.count { $0.mustFail } == 94)
    }

    @Test("the event reader accepts and refuses as many as libyaml is known to")
    func events() {
        let accepted = cases.count { !$0.mustFail && eventsAccept($0.text) }
        let refused = cases.count { $0.mustFail && !eventsAccept($0.text) }
        print("events: \(accepted)/308 accepted, \(refused)/94 refused")
        #expect(accepted >= 257)
        #expect(refused >= 78)
    }

    @Test("the composer gives the JSON that the suite defines, except for features that are refused on purpose")
    func values() {
        var equal = 0
        var different: [String] = []
        var refused = 0
        for test in cases where !test.mustFail {
            guard let json = test.json else { continue }
            let read = YAMLText.read(TextEncoding.withoutByteOrderMark(test.text))
            if !read.problems.isEmpty {
                refused += 1
            } else if read.documents.map(\.value) == json {
                equal += 1
            } else {
                different.append(
                    "\(test.name): \(read.documents.map { $0.value.text() }) is not \(json.map { $0.text() })"
                )
            }
        }
        print("composer: \(equal) equal, \(different.count) different, \(refused) refused")
        // The five are YAML 1.1 habits of libyaml: `?foo` as key, `:word` in flow style, ends of blocks at the end of a text.
        #expect(different.count <= 5, "\(different.joined(separator: "\n"))")
        // Refused are what libyaml does not read (39), tags beyond the core schema (16) and a null key.
        #expect(equal >= 218)
    }

    @Test("what must fail is refused by the composer too")
    func failures() {
        let refused = cases.count { test in
            test.mustFail && (TextEncoding.problem(in: test.text) != nil || !YAMLText.read(test.text).problems.isEmpty)
        }
        print("composer: \(refused)/94 refused")
        #expect(refused >= 79)
    }

    @Test("documents of the suite survive the YAML writer")
    func writer() {
        for test in cases where !test.mustFail {
            for document in YAMLText.read(test.text).documents {
                let text = document.value.yamlText
                let again = YAMLText.read(Array(text.utf8))
                #expect(again.problems == [], "\(test.name): \(text)")
                #expect(again.documents.map(\.value) == [document.value], "\(test.name): \(text)")
            }
        }
    }

    @Test("random damage to the suite's texts never crashes or hangs, and every fault has a place in the text")
    func mutations() throws {
        var random = SplitMix(state: 11)
        for _ in 0..<4000 {
            guard var bytes = cases.randomElement(using: &random)?.text, !bytes.isEmpty else { continue }
            for _ in 0...Int.random(in: 0..<5, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = Array("-?:,[]{}#&*!|>'\"%@`~\n\t <".utf8).randomElement(using: &random) ?? 0
                case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: index)
                }
            }
            let lineCount = bytes.count + 1
            for diagnostic in ManifestText.read(bytes, file: "mutant.yaml").diagnostics {
                #expect((1...lineCount).contains(diagnostic.line ?? 0))
            }
        }
    }
}
