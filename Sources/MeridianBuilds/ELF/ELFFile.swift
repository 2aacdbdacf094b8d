// ELFFile: what an ELF file says about itself: machine, kind, interpreter and the libraries that it needs.

/// The facts of one ELF file (System V ABI, chapters 4 and 5) that decide whether a runner can execute or load it.
///
/// `machine`, `kind` and `is64BitLittleEndian` are read from every ELF file; the rest only from 64-bit
/// little-endian ones.
package struct ELFFile: Sendable, Equatable {
    /// `e_type`.
    package enum Kind: Sendable, Equatable {
        case relocatable
        /// `ET_EXEC`: an executable at a fixed address.
        case fixedExecutable
        /// `ET_DYN`: a shared library or a position-independent executable.
        case dynamic
        case other(UInt16)
    }

    package let machine: ELFMachine
    package let kind: Kind
    /// Class 64 and little-endian, as x86_64 files are.
    package let is64BitLittleEndian: Bool
    /// `PT_INTERP`: the dynamic loader; nil in static executables and most libraries.
    package var interpreter: String?
    /// `DT_NEEDED` in file order.
    package var needed: [String] = []
    /// The directories of `DT_RPATH` and `DT_RUNPATH` in search order, `$ORIGIN` not yet replaced.
    package var searchPaths: [String] = []
    /// `DF_1_PIE`: tells a static position-independent executable from a library.
    package var isMarkedExecutable = false

    /// Whether this is a program rather than a library or an object file.
    package var isExecutable: Bool {
        switch kind {
        case .fixedExecutable: true
        case .dynamic: interpreter != nil || isMarkedExecutable
        case .relocatable, .other: false
        }
    }

    /// Whether the dynamic loader could load this file as a library.
    package var isLibrary: Bool { kind == .dynamic && !isExecutable }
}

/// Why bytes that begin as an ELF file could not be understood.
package struct ELFError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, without the file's name: `the program headers lie beyond the end of the file`.
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Random access to the bytes of a file.
package struct ELFBytes {
    /// The file's length in bytes.
    package let count: UInt64
    /// Answers exactly `count` bytes at `offset`, or nil where the file is shorter or cannot be read.
    package let read: (_ offset: UInt64, _ count: Int) -> [UInt8]?

    package init(count: UInt64, read: @escaping (_ offset: UInt64, _ count: Int) -> [UInt8]?) {
        self.count = count
        self.read = read
    }

    /// The bytes of an array.
    package init(_ bytes: [UInt8]) {
        self.init(count: UInt64(bytes.count)) { offset, count in
            guard count >= 0, offset <= UInt64(bytes.count), UInt64(count) <= UInt64(bytes.count) - offset else {
                return nil
            }
            return Array(bytes[Int(offset)..<Int(offset) + count])
        }
    }
}
