// ProgramCheck: finds the executable that a build made and refuses what runners cannot execute.
internal import MeridianModel
internal import MeridianPorts

/// The search for the executable in the source after the build.
struct ProgramCheck {
    let tree: SourceTree
    let recipe: Recipe
    /// The programs that were there before the build.
    let before: Set<SourceTree.Found>

    /// The executable's path in the source.
    ///
    /// - Throws: `NoExecutable` where there is none or more than one.
    func locate() throws(BuildError) -> String {
        switch recipe.output {
        case .file(let path): return path
        case .onlyProgram(let directory):
            guard tree.kind(of: directory) == .directory else {
                throw none("the build made no directory \(directory)")
            }
            let programs = try files(.check) { () throws(FileError) in
                try tree.executables(below: directory, deep: false)
            }
            return try only(programs.map(\.path), in: directory)
        case .newProgram:
            let programs = try files(.check) { () throws(FileError) in try tree.executables() }
            return try only(programs.filter { !before.contains($0) }.map(\.path), in: nil)
        case .existingProgram:
            let programs = try files(.check) { () throws(FileError) in try tree.executables() }
            return try only(programs.map(\.path), in: nil)
        }
    }

    /// The open executable; refuses what is no x86_64 program.
    func open(_ path: String) throws(BuildError) -> TreeFile {
        guard tree.kind(of: path) == .file else { throw none("\(path) is not there after the build") }
        let file = try files(.check) { () throws(FileError) in try tree.open(path) }
        let elf: ELFFile?
        do throws(ELFError) {
            elf = try file.elf()
        } catch {
            throw none("\(path) is a broken ELF file: \(error)")
        }
        guard let elf else {
            let isScript = file.read(at: 0, count: 2) == Array("#!".utf8)
            throw none("\(path) is \(isScript ? "a script" : "no ELF file"); runners execute x86_64 programs")
        }
        try Self.requireArchitecture(elf, path: path)
        guard elf.isExecutable else { throw none("\(path) is a library or an object file, not a program") }
        return file
    }

    /// Refuses an ELF file for another processor by its name.
    static func requireArchitecture(_ elf: ELFFile, path: String) throws(BuildError) {
        guard elf.machine != .x86_64 || !elf.is64BitLittleEndian else { return }
        let machine = elf.machine == .x86_64 ? "x86_64 in a 32-bit file (x32)" : elf.machine.description
        throw BuildError(
            reason: "WrongArchitecture",
            stage: .check,
            message: "\(path) is built for \(machine), and runners execute x86_64. "
                + "Build it for x86_64 Linux, or leave it out of the bundle"
        )
    }

    private func only(_ programs: [String], in directory: String?) throws(BuildError) -> String {
        let place = directory.map { " in \($0)" } ?? ""
        guard let first = programs.first else {
            throw none("the build ended well, but there is no new ELF program\(place)")
        }
        guard programs.count == 1 else { throw none("there are several programs\(place): \(list(programs))") }
        return first
    }

    private func none(_ what: String) -> BuildError {
        BuildError(
            reason: "NoExecutable",
            stage: .check,
            message: "\(what). Name the executable, relative to the source, in spec.build.output"
        )
    }
}
