// FileProblem: why a file or directory of manifests could not be read.

/// A reason with the next step, without the path.
struct FileProblem: Error, Hashable {
    let message: String
}
