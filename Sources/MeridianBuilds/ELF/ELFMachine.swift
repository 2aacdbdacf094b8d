// ELFMachine: the processor that an ELF file was made for, by the names that people use.

/// An `e_machine` value (System V ABI, chapter 4; values from Linux `<elf.h>`).
package struct ELFMachine: Sendable, Hashable, CustomStringConvertible {
    /// The number in the file.
    package let number: UInt16

    package init(number: UInt16) { self.number = number }

    /// The only machine that runners execute.
    package static let x86_64 = ELFMachine(number: 62)

    /// `x86_64`, `aarch64`, … or `machine 4711` for a number without a name here.
    package var description: String { Self.names[number] ?? "machine \(number)" }

    private static let names: [UInt16: String] = [
        2: "sparc", 3: "i386 (32-bit x86)", 8: "mips", 20: "powerpc", 21: "powerpc64", 22: "s390x", 40: "arm (32-bit)",
        43: "sparc64", 50: "ia64", 62: "x86_64", 183: "aarch64 (arm64)", 243: "riscv", 247: "bpf", 258: "loongarch",
    ]
}
