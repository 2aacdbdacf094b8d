// Constraint: what a field's value must satisfy beyond its type, checked on reading and shown in the schema.

/// A condition on one field's value, with its JSON Schema form.
package struct Constraint<Value: ShapeValue>: Sendable {
    /// Adds the keywords that express the condition.
    let describe: @Sendable (JSONSchema) -> JSONSchema
    /// The words for what is wrong, or nil where `value` is right.
    let fault: @Sendable (Value) -> String?

    func holds(_ value: Value, at path: FieldPath, _ context: inout DecodingContext) -> Bool {
        guard let fault = fault(value) else { return true }
        context.add(.invalid, at: path, "\(path): \(fault)")
        return false
    }

    /// A condition without a schema form of its own.
    package static func rule(_ fault: @escaping @Sendable (Value) -> String?) -> Constraint {
        Constraint(describe: { $0 }, fault: fault)
    }
}

extension Constraint where Value == Int {
    /// Whole numbers of the closed range.
    package static func range(_ range: ClosedRange<Int>) -> Constraint {
        Constraint(
            describe: {
                $0.adding(["minimum": .integer(Int64(range.lowerBound)), "maximum": .integer(Int64(range.upperBound))])
            },
            fault: {
                range.contains($0) ? nil : "\($0) is out of range; give \(range.lowerBound) to \(range.upperBound)"
            }
        )
    }
}

extension Constraint where Value == Double {
    /// Numbers of the closed range.
    package static func range(_ range: ClosedRange<Double>) -> Constraint {
        Constraint(
            describe: { $0.adding(["minimum": .double(range.lowerBound), "maximum": .double(range.upperBound)]) },
            fault: {
                range.contains($0) ? nil : "\($0) is out of range; give \(range.lowerBound) to \(range.upperBound)"
            }
        )
    }
}

extension Constraint where Value == Duration {
    /// Durations of the closed range.
    package static func range(_ range: ClosedRange<Duration>) -> Constraint {
        .rule {
            range.contains($0)
                ? nil : "\($0.text) is out of range; give \(range.lowerBound.text) to \(range.upperBound.text)"
        }
    }
}

extension Constraint where Value == ByteQuantity {
    /// Sizes of the closed range.
    package static func range(_ range: ClosedRange<ByteQuantity>) -> Constraint {
        .rule { range.contains($0) ? nil : "\($0) is out of range; give \(range.lowerBound) to \(range.upperBound)" }
    }
}

extension Constraint where Value == CPUQuantity {
    /// Processor shares of the closed range.
    package static func range(_ range: ClosedRange<CPUQuantity>) -> Constraint {
        .rule { range.contains($0) ? nil : "\($0) is out of range; give \(range.lowerBound) to \(range.upperBound)" }
    }
}

extension Constraint where Value == String {
    /// A DNS label (RFC 1123 §2.1): lower-case letters, digits and inner hyphens, at most `length` characters.
    package static func dnsLabel(atMost length: Int = 63) -> Constraint {
        Constraint(
            describe: {
                $0.adding(["pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": .integer(Int64(length))])
            },
            fault: {
                isDNSLabel($0, atMost: length)
                    ? nil
                    : "\"\($0)\" is not a name: use lower-case letters, digits and inner hyphens, at most \(length) characters"
            }
        )
    }

    /// A host name as routes match it: DNS labels joined by dots, at most 253 characters, no port.
    package static var hostName: Constraint {
        Constraint(
            describe: {
                $0.adding([
                    "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "maxLength": 253,
                ])
            },
            fault: {
                isHostName($0)
                    ? nil : "\"\($0)\" is not a host name: use lower-case DNS labels joined by dots, without a port"
            }
        )
    }

    /// Text that is not empty and not longer than `length` bytes.
    package static func text(atMost length: Int) -> Constraint {
        Constraint(
            describe: { $0.adding(["minLength": 1, "maxLength": .integer(Int64(length))]) },
            fault: {
                $0.isEmpty ? "must not be empty" : $0.utf8.count > length ? "is longer than \(length) bytes" : nil
            }
        )
    }
}

/// Whether `text` is a DNS label of at most `length` characters (RFC 1123 §2.1, lower case).
package func isDNSLabel(_ text: String, atMost length: Int = 63) -> Bool {
    let bytes = Array(text.utf8)
    let allowed = bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    return !bytes.isEmpty && bytes.count <= length && allowed && bytes.first != 0x2D && bytes.last != 0x2D
}

/// Whether `text` is DNS labels joined by dots, at most 253 characters (RFC 1123 §2.1, lower case).
package func isHostName(_ text: String) -> Bool {
    text.utf8.count <= 253
        && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isDNSLabel(String($0)) }
}

extension Constraint where Value == String {
    /// A path inside a directory: relative, without `..`, empty parts or control characters.
    package static var relativePath: Constraint { .rule(relativePathFault) }
}

extension Constraint where Value == [String] {
    /// Each a path inside a directory.
    package static var relativePaths: Constraint { .rule { $0.lazy.compactMap(relativePathFault).first } }
}

extension Constraint where Value == [String: String] {
    /// Names that a program's environment can hold, and that Meridian does not set itself.
    package static var environment: Constraint {
        .rule { $0.keys.sorted().lazy.compactMap(environmentNameFault).first }
    }
}

/// The words for what is wrong with `path` as a path inside a directory; nil where it is right.
package func relativePathFault(_ path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    if path.isEmpty { return "must not be empty" }
    if path.hasPrefix("/") { return "\"\(path)\" is absolute; give a path relative to the source" }
    if parts.contains("..") { return "\"\(path)\" leaves the source; remove the \"..\"" }
    if path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "must not contain control characters" }
    return path.utf8.count > 1024 ? "is longer than 1024 bytes" : nil
}

/// The words for what is wrong with `name` as the name of an app's variable; nil where it is right.
package func environmentNameFault(_ name: String) -> String? {
    let isWord = name.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
    }
    if name.isEmpty || !isWord || (0x30...0x39).contains(name.utf8.first ?? 0x30) {
        return "\"\(name)\" is not a variable name: use letters, digits and _, not beginning with a digit"
    }
    let own: Set = ["PORT", "GLOBE", "GLOBE_BUILD_ENV", "HOSTNAME", "HOME", "TMPDIR"]
    return own.contains(name) ? "\(name) is set by Meridian; remove it" : nil
}
