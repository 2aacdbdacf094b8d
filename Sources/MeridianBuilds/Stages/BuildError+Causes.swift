// BuildError+Causes: failures of files, archives and the registry in the words of a build.
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

extension BuildError {
    /// A file operation that failed: the machine's fault where trying again may help, else the source's.
    init(file error: FileError, stage: BuildStage) {
        self.init(
            reason: error.isTransient ? "Unavailable" : "SourceInvalid",
            stage: stage,
            message: error.isTransient ? "\(error). Free space or mend the disk; the build is tried again" : "\(error)",
            isTransient: error.isTransient
        )
    }

    /// An archive that was refused, or could not be read or written.
    init(content error: ContentError, stage: BuildStage) {
        let isTransient = error.code == .unavailable
        self.init(
            reason: isTransient ? "Unavailable" : "SourceInvalid",
            stage: stage,
            message: error.message,
            isTransient: isTransient
        )
    }

    /// A registry that did not give or take a blob.
    init(registry error: RegistryError, stage: BuildStage) {
        switch error.code {
        case .notFound, .corrupted:
            self.init(
                reason: "SourceInvalid",
                stage: stage,
                message: "the packed source is not in the registry: \(error.message). "
                    + "Apply the manifest again, which uploads it"
            )
        case .refused: self.init(reason: "SourceInvalid", stage: stage, message: error.message)
        case .unavailable:
            self.init(reason: "Unavailable", stage: stage, message: error.message, isTransient: true)
        }
    }

    /// The build was stopped from outside.
    static func cancelled(_ stage: BuildStage) -> BuildError {
        BuildError(reason: "Cancelled", stage: stage, message: "the build was cancelled", isTransient: true)
    }
}

/// Runs `body` with its file errors turned into build errors of `stage`.
func files<Value>(_ stage: BuildStage, _ body: () throws(FileError) -> Value) throws(BuildError) -> Value {
    do throws(FileError) {
        return try body()
    } catch {
        throw BuildError(file: error, stage: stage)
    }
}

/// Runs `body` with its content errors turned into build errors of `stage`.
func content<Value>(_ stage: BuildStage, _ body: () throws(ContentError) -> Value) throws(BuildError) -> Value {
    do throws(ContentError) {
        return try body()
    } catch {
        throw BuildError(content: error, stage: stage)
    }
}
