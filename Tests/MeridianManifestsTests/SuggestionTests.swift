// SuggestionTests: which known word a mistyped one is taken for.

import MeridianModel
import Testing

@Suite("Suggestions")
struct SuggestionTests {
    private let fields = ["scaling", "regions", "resources", "source", "env", "build", "min", "max"]

    @Test(
        "a slip of the fingers finds the word that was meant",
        arguments: [
            ("scalling", "scaling"), ("Scaling", "scaling"), ("regoins", "regions"), ("resorces", "resources"),
            ("envs", "env"), ("biuld", "build"), ("mim", "min"),
        ]
    )
    func near(_ word: String, _ meant: String) { #expect(suggestion(for: word, among: fields) == meant) }

    @Test("a word that resembles nothing gets no suggestion", arguments: ["", "x", "replicas", "volumes", "scaling"])
    func far(_ word: String) { #expect(suggestion(for: word, among: fields) == nil) }

    @Test("very long words are left alone")
    func long() {
        let word = String(repeating: "a", count: 1000)
        #expect(suggestion(for: word, among: [word + "a"]) == nil)
    }
}
