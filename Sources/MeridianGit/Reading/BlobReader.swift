// BlobReader: the contents of many objects from one run of git, into memory or files.
internal import Glibc
internal import MeridianContent
internal import MeridianPorts
internal import Synchronization

/// Reads objects with `git cat-file --batch`.
struct BlobReader: Sendable {
    let program: GitProgram
    let repository: String
    let deadline: ContinuousClock.Instant

    /// The contents of the objects, in their order; `bytesMax` bounds their sum.
    func contents(of objects: [String], bytesMax: Int) async throws(GitError) -> [[UInt8]] {
        guard !objects.isEmpty else { return [] }
        let parser = Mutex(BatchParser(expected: objects.count))
        try await read(objects, bytesMax: bytesMax) { piece in
            parser.withLock { parser in
                parser.take(piece) { parser, bytes in parser.contents[parser.contents.count - 1] += bytes }
            }
        }
        let result = parser.withLock { $0 }
        guard result.isComplete else { throw Self.missing }
        return result.contents
    }

    /// Writes each object into the file of `directory` that its number names, counted from 0.
    func write(_ objects: [String], into directory: String, bytesMax: Int) async throws(GitError) {
        guard !objects.isEmpty else { return }
        let writer = Mutex(FileWriter(directory: directory, expected: objects.count))
        try await read(objects, bytesMax: bytesMax) { piece in writer.withLock { $0.take(piece) } }
        if let problem = writer.withLock({ $0.finish() }) { throw problem }
    }

    private func read(
        _ objects: [String],
        bytesMax: Int,
        _ sink: @escaping ChildProcess.Sink
    ) async throws(GitError) {
        // A line before and a newline after each object.
        let overhead = objects.count * 128
        let end = await program.run(
            ["cat-file", "--batch", "--buffer"],
            in: repository,
            input: Array(objects.map { $0 + "\n" }.joined().utf8),
            outputBytesMax: bytesMax + overhead,
            deadline: deadline,
            sink: sink
        )
        guard end.succeeded else { throw readFailure(end, "files of the commit cannot be read") }
    }

    fileprivate static let missing = GitError(
        .damaged,
        "files of the commit are missing from the mirror; it is fetched anew at the next look"
    )
}

/// Reads `<object> SP <type> SP <size> LF <content> LF` (git-cat-file(1), BATCH OUTPUT) piece by piece.
private struct BatchParser: Sendable {
    private enum State: Sendable {
        case header([UInt8])
        case content(Int)
        case newline
        case broken
    }

    let expected: Int
    var contents: [[UInt8]] = []
    private var state = State.header([])
    private(set) var begun = 0

    /// A header is an id, a word and a number.
    private static let headerBytesMax = 200

    init(expected: Int) { self.expected = expected }

    /// Whether every object came, whole.
    var isComplete: Bool {
        guard case .header(let rest) = state else { return false }
        return rest.isEmpty && begun == expected
    }

    /// Takes a piece of output; false where it is not of the form.
    mutating func take(
        _ piece: UnsafeRawBufferPointer,
        _ consume: (inout BatchParser, Slice<UnsafeRawBufferPointer>) -> Void
    ) -> Bool {
        var rest = piece[...]
        while let byte = rest.first {
            switch state {
            case .header(let line):
                rest = rest.dropFirst()
                state = header(line, byte)
            case .content(let left):
                let part = rest.prefix(left)
                consume(&self, part)
                rest = rest.dropFirst(part.count)
                state = left == part.count ? .newline : .content(left - part.count)
            case .newline:
                rest = rest.dropFirst()
                state = .header([])
            case .broken: return false
            }
        }
        if case .broken = state { return false }
        return true
    }

    private mutating func header(_ line: [UInt8], _ byte: UInt8) -> State {
        guard byte == 0x0A else { return line.count < Self.headerBytesMax ? .header(line + [byte]) : .broken }
        let words = line.split(separator: 0x20)
        guard words.count == 3, let size = Int(String(decoding: words[2], as: UTF8.self)), size >= 0 else {
            return .broken
        }
        begun += 1
        contents.append([])
        return size == 0 ? .newline : .content(size)
    }
}

/// Puts the objects of a batch into numbered files.
private struct FileWriter: Sendable {
    private var parser: BatchParser
    private let directory: String
    private var descriptor: Int32 = -1
    private var number = -1
    private var fault: Int32 = 0

    init(directory: String, expected: Int) {
        self.directory = directory
        parser = BatchParser(expected: expected)
    }

    mutating func take(_ piece: UnsafeRawBufferPointer) -> Bool {
        var current = self
        let isFine = parser.take(piece) { parser, bytes in
            current.write(bytes, of: parser.begun - 1)
        }
        (descriptor, number, fault) = (current.descriptor, current.number, current.fault)
        return isFine && fault == 0
    }

    /// Closes the last file; the problem where not all was written.
    mutating func finish() -> GitError? {
        open(through: parser.begun - 1)
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        guard fault == 0 else {
            return GitError(.unavailable, "\(directory): \(String(cString: strerror(fault)))")
        }
        return parser.isComplete ? nil : BlobReader.missing
    }

    private mutating func write(_ bytes: Slice<UnsafeRawBufferPointer>, of index: Int) {
        open(through: index)
        var rest = bytes
        while !rest.isEmpty, fault == 0 {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { fault = errno } else { rest = rest.dropFirst(count) }
        }
    }

    /// Opens the file of an object; empty objects before it get files too.
    private mutating func open(through index: Int) {
        while number < index, fault == 0 {
            if descriptor >= 0 { close(descriptor) }
            number += 1
            descriptor = Glibc.open("\(directory)/\(number)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor < 0 { fault = errno }
        }
    }
}
