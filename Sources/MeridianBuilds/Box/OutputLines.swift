// OutputLines: cuts the output of a build into bounded, printable lines.

/// Turns chunks of bytes into lines; what a build prints can neither grow without bound nor steer a terminal.
struct OutputLines {
    /// As `BuildProgress.output` promises.
    static let lineLengthMax = 4096
    /// The largest build logs known are below this; a loop that prints forever ends here.
    static let lineCountMax = 50_000

    private let emit: (String) -> Void
    private var line: [UInt8] = []
    private var isCut = false
    private var count = 0

    /// Lines go to `emit`, in order.
    init(_ emit: @escaping (String) -> Void) { self.emit = emit }

    /// Takes the next chunk.
    mutating func append(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                endLine()
            } else if line.count < Self.lineLengthMax {
                line.append(byte)
            } else {
                isCut = true
            }
        }
    }

    /// Emits a last line that has no newline, and says how many lines were dropped.
    mutating func finish() {
        if !line.isEmpty { endLine() }
        if count > Self.lineCountMax { emit("… \(count - Self.lineCountMax) more lines were not kept") }
    }

    private mutating func endLine() {
        count += 1
        if count <= Self.lineCountMax { emit(Self.printable(line) + (isCut ? "…" : "")) }
        line.removeAll(keepingCapacity: true)
        isCut = false
    }

    /// The line as text without escape sequences (ECMA-48 CSI) and other control characters, tabs kept.
    static func printable(_ bytes: [UInt8]) -> String {
        var kept: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == 0x1B, index < bytes.count, bytes[index] == UInt8(ascii: "[") {
                index += 1
                while index < bytes.count, !(0x40...0x7E).contains(bytes[index]) { index += 1 }
                index += 1
            } else if byte == 0x09 || (byte >= 0x20 && byte != 0x7F) {
                kept.append(byte)
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
