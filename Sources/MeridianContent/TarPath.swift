// TarPath: the relative paths that an archive may hold, and no others.

/// A path inside an archive or a bundle: relative, normal, staying inside.
package struct TarPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// At least one; none is empty, `.` or `..`.
    package let components: [String]

    /// As PATH_MAX leaves room for the directory that it is unpacked in.
    package static let bytesMax = 1024
    /// NAME_MAX of Linux file systems.
    package static let componentBytesMax = 255
    /// Deeper trees are mistakes or attacks on recursive tools.
    package static let depthMax = 64

    /// Checks a path as an archive writes it; a leading `./` and a trailing `/` are dropped.
    ///
    /// - Throws: `.refused`, naming the path and the rule that it breaks.
    package init(_ text: String) throws(ContentError) {
        if let fault = Self.fault(of: text) { throw ContentError(.refused, "\(shown(text)): \(fault)") }
        components = text.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !components.isEmpty else {
            throw ContentError(.refused, "\(shown(text)): the path names the root itself")
        }
    }

    init(components: [String]) { self.components = components }

    package var description: String { components.joined(separator: "/") }

    /// The last component.
    package var name: String { components.last ?? "" }

    /// The directory that this is in; nil at the top.
    package var parent: TarPath? {
        components.count > 1 ? TarPath(components: Array(components.dropLast())) : nil
    }

    /// Sorted by components, so that a directory stands before what is in it and its content stays together.
    package static func < (left: TarPath, right: TarPath) -> Bool {
        left.components.lexicographicallyPrecedes(right.components) { $0 < $1 }
    }

    /// Whether the text names the root: `.` or `./`.
    static func isRoot(_ text: String) -> Bool {
        !text.hasPrefix("/") && text.split(separator: "/").allSatisfy { $0 == "." } && !text.isEmpty
    }

    private static func fault(of text: String) -> String? {
        if text.isEmpty { return "the path is empty" }
        if text.hasPrefix("/") { return "the path is absolute; only paths inside the archive's root are unpacked" }
        if text.utf8.count > bytesMax { return "the path is longer than \(bytesMax) bytes" }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return "the path contains a control character"
        }
        let components = text.split(separator: "/")
        if components.contains("..") { return "the path leads upwards with \"..\"" }
        if components.count > depthMax { return "the path is deeper than \(depthMax) directories" }
        if components.contains(where: { $0.utf8.count > componentBytesMax }) {
            return "a name in the path is longer than \(componentBytesMax) bytes"
        }
        return nil
    }
}

/// A path for a message: cut, with control characters made visible.
func shown(_ path: String) -> String {
    let visible = path.unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }
    return visible.isEmpty ? "(empty name)" : visible.joined()
}
