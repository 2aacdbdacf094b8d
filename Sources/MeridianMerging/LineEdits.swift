// LineEdits: the shortest way from one list of lines to another (Myers, "An O(ND) Difference Algorithm", 1986).

/// One line of an edit script.
enum LineEdit: Hashable {
    /// Line `old` of the old text is line `new` of the new one.
    case keep(old: Int, new: Int)
    case delete(old: Int)
    case insert(new: Int)
}

/// Insertions and deletions that are searched for, after common lines at both ends were taken off.
///
/// The search remembers about the square of this many numbers: 1000 cost 8 MB for a moment. Texts that differ more are
/// shown as replaced in one piece, as nobody reads such a diff line by line.
private let editsMax = 1000

/// The edit script from `old` to `new`, in the order of the lines, deletions before insertions.
func lineEdits(from old: [String], to new: [String]) -> [LineEdit] {
    var first = 0
    while first < min(old.count, new.count), old[first] == new[first] { first += 1 }
    var last = 0
    while last < min(old.count, new.count) - first, old[old.count - 1 - last] == new[new.count - 1 - last] { last += 1 }
    let middleOld = old[first..<(old.count - last)]
    let middleNew = new[first..<(new.count - last)]
    let middle =
        shortestEdits(from: Array(middleOld), to: Array(middleNew), offset: first)
        ?? middleOld.indices.map { .delete(old: $0) } + middleNew.indices.map { .insert(new: $0) }
    let head = (0..<first).map { LineEdit.keep(old: $0, new: $0) }
    let tail = (0..<last).map { LineEdit.keep(old: old.count - last + $0, new: new.count - last + $0) }
    return head + middle + tail
}

/// The furthest old line that was reached on each diagonal, `old − new`, after some number of edits.
private struct Frontier {
    private var furthest: [Int]
    private let center: Int

    init(edits: Int) {
        center = edits + 1
        furthest = Array(repeating: 0, count: 2 * center + 1)
    }

    subscript(diagonal: Int) -> Int {
        get { furthest[center + diagonal] }
        set { furthest[center + diagonal] = newValue }
    }

    /// Whether the way to `diagonal` with `edits` edits comes from the diagonal above it, by an insertion.
    func comesByInsertion(to diagonal: Int, edits: Int) -> Bool {
        diagonal == -edits || (diagonal != edits && self[diagonal - 1] < self[diagonal + 1])
    }

    /// The part that the way back from `edits` edits looks at.
    func part(edits: Int) -> Frontier {
        var part = Frontier(edits: edits)
        for diagonal in (-edits - 1)...(edits + 1) { part[diagonal] = self[diagonal] }
        return part
    }
}

/// The shortest script between lists that differ at both ends; nil where it has more than `editsMax` edits.
private func shortestEdits(from old: [String], to new: [String], offset: Int) -> [LineEdit]? {
    let bound = min(old.count + new.count, editsMax)
    var frontier = Frontier(edits: bound)
    var history: [Frontier] = []
    for edits in 0...bound {
        history.append(frontier.part(edits: edits))
        for diagonal in stride(from: -edits, through: edits, by: 2) {
            let inserts = frontier.comesByInsertion(to: diagonal, edits: edits)
            var x = inserts ? frontier[diagonal + 1] : frontier[diagonal - 1] + 1
            while x < old.count, x - diagonal < new.count, old[x] == new[x - diagonal] { x += 1 }
            frontier[diagonal] = x
            if x >= old.count, x - diagonal >= new.count {
                return script(back: history, fromOld: old.count, new: new.count, offset: offset)
            }
        }
    }
    return nil
}

/// Walks back through the frontiers and writes down the way.
private func script(back history: [Frontier], fromOld oldCount: Int, new newCount: Int, offset: Int) -> [LineEdit] {
    var edits: [LineEdit] = []
    var x = oldCount
    var y = newCount
    for (count, frontier) in history.enumerated().reversed() {
        let inserts = frontier.comesByInsertion(to: x - y, edits: count)
        let diagonal = inserts ? x - y + 1 : x - y - 1
        let startX = count == 0 ? 0 : frontier[diagonal]
        let startY = count == 0 ? 0 : startX - diagonal
        while x > startX, y > startY {
            x -= 1
            y -= 1
            edits.append(.keep(old: offset + x, new: offset + y))
        }
        guard count > 0 else { break }
        edits.append(inserts ? .insert(new: offset + startY) : .delete(old: offset + startX))
        (x, y) = (startX, startY)
    }
    return edits.reversed()
}
