// SourceTree+Executables: the ELF programs among the files of a source.

extension SourceTree {
    /// Directories whose executables are never the app: version control, and the trials of CMake's configuration.
    private static let ignoredDirectories: Set = [".git", "CMakeFiles"]

    /// The ELF programs below `directory`, sorted by path.
    ///
    /// A file that begins as ELF and is broken is no program here; the check names what is wrong once it is chosen.
    func executables(below directory: String = ".", deep: Bool = true) throws(FileError) -> [Found] {
        let candidates = try files(below: directory) { !deep || Self.ignoredDirectories.contains($0) }
        return candidates.filter { found in
            guard found.size >= ELFFile.headerLength, let file = try? open(found.path), let elf = try? file.elf() else {
                return false
            }
            return elf.isExecutable
        }
    }
}
