// JSONTestSuiteTests: the parser against nst/JSONTestSuite.

import MeridianModel
import Testing

private let suite = JSONCorpus("JSONTestSuite/test_parsing")

@Suite("JSONTestSuite", .enabled(if: suite.isPresent))
struct JSONTestSuiteTests {
    private func accepts(_ name: String) -> Bool {
        (try? JSONValue(parsing: suite.bytes(of: name), duplicateKeys: .lastWins)) != nil
    }

    @Test("every text that must be accepted is")
    func accepted() {
        let names = suite.files(".json").filter { $0.hasPrefix("y_") }
        #expect(names.count == 95)
        #expect(names.filter { !accepts($0) } == [])
    }

    @Test("every text that must be refused is")
    func refused() {
        let names = suite.files(".json").filter { $0.hasPrefix("n_") }
        #expect(names.count == 188)
        #expect(names.filter(accepts) == [])
    }

    @Test("texts of free choice do not crash, and what is accepted is written and read back the same")
    func free() throws {
        for name in suite.files(".json") where name.hasPrefix("i_") {
            guard let value = try? JSONValue(parsing: suite.bytes(of: name)) else { continue }
            #expect(try JSONValue(parsing: value.text()) == value, "\(name)")
        }
    }

    @Test("the located parser takes the same decision as the plain one, duplicate keys aside")
    func located() {
        for name in suite.files(".json") where !name.contains("duplicated_key") {
            let (documents, error) = LocatedValue.jsonDocuments(in: suite.bytes(of: name))
            #expect((error == nil && documents.count == 1) == accepts(name) || documents.count != 1, "\(name)")
        }
    }
}
