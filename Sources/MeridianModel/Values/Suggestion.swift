// Suggestion: the known word that a mistyped one was probably meant to be.

/// Words longer than this are not compared: a name of ours is a DNS label, and the comparison is quadratic.
private let suggestionLengthMax = 63

/// The candidate nearest to `word`; nil where none is near enough to be a slip of the fingers.
///
/// Near means that at most a third of the letters (at least one) were inserted, left out, changed or swapped with their
/// neighbour (Damerau-Levenshtein distance, optimal string alignment), letter case aside. The first of several equally
/// near candidates wins.
package func suggestion(for word: String, among candidates: [String]) -> String? {
    let letters = Array(word.lowercased().unicodeScalars)
    guard !letters.isEmpty, letters.count <= suggestionLengthMax else { return nil }
    var best: (candidate: String, distance: Int)?
    var bound = max(1, letters.count / 3)
    for candidate in candidates where candidate != word {
        let others = Array(candidate.lowercased().unicodeScalars)
        guard !others.isEmpty, abs(others.count - letters.count) <= bound, others.count <= suggestionLengthMax else {
            continue
        }
        let distance = editDistance(letters, others)
        guard distance <= bound, distance < others.count else { continue }
        best = (candidate, distance)
        bound = distance - 1
    }
    return best?.candidate
}

/// The optimal string alignment distance of two words.
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for row in 1...left.count {
        var current = [row]
        for column in 1...right.count {
            let change = left[row - 1] == right[column - 1] ? 0 : 1
            var least = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + change)
            if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                least = min(least, beforePrevious[column - 2] + 1)
            }
            current.append(least)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
