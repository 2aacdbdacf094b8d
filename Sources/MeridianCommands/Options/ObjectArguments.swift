// ObjectArguments: KIND, KIND NAME and KIND/NAME on the command line.

internal import ArgumentParser
internal import MeridianModel

/// The kind, and the names where there are any, that positional arguments mean.
struct ObjectArguments {
    let kind: Kind
    let names: [String]

    /// Reads `KIND`, `KIND NAME…` or `KIND/NAME…` (all of one kind).
    init(_ words: [String]) throws {
        let parts = words.map {
            $0.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        }
        guard let first = parts.first?.first else { throw ValidationError("Name a kind: \(knownKinds).") }
        kind = try knownKind(first)
        guard parts[0].count == 2 else {
            if let bad = words.dropFirst().first(where: { $0.contains("/") }) {
                throw ValidationError("\"\(bad)\" names a kind again. Write KIND NAME… or KIND/NAME….")
            }
            names = Array(words.dropFirst())
            return
        }
        names = try parts.map { part in
            guard part.count == 2, !part[1].isEmpty else {
                throw ValidationError("\"\(part[0])\" has no name. Write KIND/NAME.")
            }
            return part[1]
        }
        for part in parts where try knownKind(part[0]).name != kind.name {
            throw ValidationError("Name objects of one kind: \(part[0]) is no \(kind.singular).")
        }
    }

    /// The identity of the object `name` of the kind, seen from `namespace`.
    func key(_ name: String, namespace: String) -> ObjectKey { kind.key(name, namespace: namespace) }

    /// The kinds, for shells to complete.
    static let completion = CompletionKind.list(Kind.all.flatMap { [$0.singular, $0.plural] })
}

extension Kind {
    /// The identity of an object of this kind; the namespace counts where the kind has one.
    func key(_ name: String, namespace: String) -> ObjectKey {
        ObjectKey(kind: self.name, namespace: isNamespaced ? namespace : "", name: name)
    }
}

/// The kind that `word` means, or a usage error that lists the kinds.
func knownKind(_ word: String) throws -> Kind {
    if let kind = Kind.named(word) { return kind }
    let words = Kind.all.flatMap { [$0.singular, $0.plural] + $0.shortNames }
    let hint = suggestion(for: word, among: words).map { "did you mean \"\($0)\"?" } ?? "known: \(knownKinds)"
    throw ValidationError("\"\(word)\" is no kind: \(hint)")
}

private let knownKinds = Kind.all.map(\.plural).joined(separator: ", ")
