// GitReading: what one look at a repository found, from the engine that reads to the decision about it.

/// The objects of one commit and everything wrong with its files.
package struct GitReading: Sendable, Equatable {
    package var commit: GitCommit
    /// The tag that a version range chose.
    package var tag: String?
    /// The objects without a problem of their own, in the order of files and lines.
    package var objects: [GitObject]
    /// What is wrong with the files; while there is any, nothing is taken for removed.
    package var problems: [GitProblem]

    package init(
        commit: GitCommit,
        tag: String? = nil,
        objects: [GitObject] = [],
        problems: [GitProblem] = []
    ) {
        self.commit = commit
        self.tag = tag
        self.objects = objects
        self.problems = problems
    }
}

/// A commit, for people.
package struct GitCommit: Sendable, Equatable {
    /// All digits.
    package var id: String
    /// The first line of the message, cut, without control characters.
    package var subject: String
    package var author: String

    package init(id: String, subject: String = "", author: String = "") {
        self.id = id
        self.subject = subject
        self.author = author
    }

    /// The first twelve digits.
    package var short: String { String(id.prefix(12)) }
}

/// One object as a commit has it.
package struct GitObject: Sendable, Equatable {
    package var key: ObjectKey
    /// As written, with its namespace filled in and the digest of its packed source set.
    package var config: JSONValue
    /// Tells whether the object has to be applied again; nothing of a Secret's values can be found out from it.
    package var digest: String
    /// Where it is written.
    package var file: String
    package var line: Int

    package init(key: ObjectKey, config: JSONValue, digest: String, file: String, line: Int) {
        self.key = key
        self.config = config
        self.digest = digest
        self.file = file
        self.line = line
    }

    /// `deploy/app.yaml:3`.
    package var place: String { "\(file):\(line)" }
}

/// The source of an app that names a repository itself.
package struct GitTree: Sendable, Equatable {
    package var commit: GitCommit
    /// The packed directory, which is in the registry.
    package var source: Digest

    package init(commit: GitCommit, source: Digest) {
        self.commit = commit
        self.source = source
    }
}
