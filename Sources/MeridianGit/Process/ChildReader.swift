// ChildReader: reads the two pipes of a program, within bounds.
internal import Glibc

/// The reading side of a program's output and errors.
struct ChildReader {
    private let output: Int32
    private let errors: Int32
    private let bytesMax: Int
    private let sink: ChildProcess.Sink?
    private var outputIsOpen = true
    private var errorsAreOpen = true
    private var count = 0
    private var chunk = [UInt8](repeating: 0, count: 65_536)
    /// Standard output, where no sink takes it.
    private(set) var collected: [UInt8] = []
    /// The last bytes of standard error.
    private(set) var errorTail: [UInt8] = []

    /// What is kept of standard error while more comes.
    private static let errorTailBytesMax = 16_384

    init(output: Int32, errors: Int32, bytesMax: Int, sink: ChildProcess.Sink?) {
        self.output = output
        self.errors = errors
        self.bytesMax = bytesMax
        self.sink = sink
    }

    /// Reads to the end of both pipes; why it stopped before that, if it did.
    mutating func read(until deadline: ContinuousClock.Instant) -> ChildEnd.Cause? {
        while outputIsOpen || errorsAreOpen {
            let left = ContinuousClock.now.duration(to: deadline).components
            guard left.seconds >= 0, left.attoseconds >= 0 else { return .timedOut }
            // At most an hour at a time, so that the number fits; the loop asks again.
            let wait = Int32(min(left.seconds, 3600) * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
            var descriptors = [
                pollfd(fd: outputIsOpen ? output : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorsAreOpen ? errors : -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&descriptors, 2, wait)
            if ready < 0, errno != EINTR { return nil }
            guard ready > 0 else { continue }
            if descriptors[0].revents != 0, let cause = readOutput() { return cause }
            if descriptors[1].revents != 0 { readErrors() }
        }
        return nil
    }

    /// Takes a piece of output; why no more is taken, where that is so.
    private mutating func readOutput() -> ChildEnd.Cause? {
        let got = Glibc.read(output, &chunk, chunk.count)
        if got < 0, errno == EINTR { return nil }
        guard got > 0 else {
            outputIsOpen = false
            return nil
        }
        count += got
        guard count <= bytesMax else { return .tooMuchOutput }
        guard let sink else {
            collected += chunk[..<got]
            return nil
        }
        let isTaken = chunk.withUnsafeBytes { sink(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
        return isTaken ? nil : .wrongOutput
    }

    private mutating func readErrors() {
        let got = Glibc.read(errors, &chunk, chunk.count)
        if got < 0, errno == EINTR { return }
        guard got > 0 else {
            errorsAreOpen = false
            return
        }
        errorTail += chunk[..<got]
        if errorTail.count > 2 * Self.errorTailBytesMax { errorTail = errorTail.suffix(Self.errorTailBytesMax) }
    }
}
