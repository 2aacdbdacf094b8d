// BuilderConfiguration: where a builder works and what it uses.
internal import Glibc

/// The places and programs of a builder; all paths are absolute.
package struct BuilderConfiguration: Sendable {
    /// The builder's own directory: `work`, `caches` and `index` are made in it.
    package let directory: String
    /// Build logs go to `<logs>/builds/<namespace>/<revision>.log`.
    package let logs: String
    /// Directories of Meridian's own (the data directory, the registry) that no build may see.
    package let hidden: [String]
    /// The `meridian-zygote` program, whose `box` runs every command.
    package let zygote: String
    /// The value of PATH on which toolchains are looked for.
    package let search: String
    /// The home of the user who runs the builder, where toolchains may live; nil where there is none.
    package let home: String?

    /// A configuration in which `search` and `home` are PATH and HOME of this process unless they are given.
    ///
    /// `directory` is made when it is missing. No build sees `hidden`, nor the homes of the machine in any case.
    package init(
        directory: String,
        logs: String,
        hidden: [String],
        zygote: String,
        search: String? = nil,
        home: String? = nil
    ) {
        self.directory = directory
        self.logs = logs
        self.hidden = hidden
        self.zygote = zygote
        self.search = search ?? variable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self.home = home ?? variable("HOME")
    }
}

/// A variable of this process; nil where it is not set or empty.
func variable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}
