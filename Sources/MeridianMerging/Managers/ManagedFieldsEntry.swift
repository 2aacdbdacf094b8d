// ManagedFieldsEntry: what one manager owns of an object, as `metadata.managedFields` lists it.
package import MeridianModel

/// One manager's fields.
package struct ManagedFieldsEntry: Hashable, Sendable {
    /// How the manager came to own them.
    package enum Operation: String, Sendable {
        case apply = "Apply"
        case update = "Update"
    }

    /// Who a manager is: an apply's identity does not depend on the version it spoke.
    package struct Identity: Hashable, Sendable {
        package let manager: String
        package let operation: Operation
        package let subresource: String
        /// Empty for an apply.
        package let apiVersion: String
    }

    package let manager: String
    package let operation: Operation
    package var apiVersion: String
    /// The name of the subresource that was written to; empty for the object itself.
    package let subresource: String
    /// When the manager last changed a field or its set; nil where it is not known.
    package var time: Timestamp?
    package var fields: FieldSet

    package init(
        manager: String,
        operation: Operation,
        apiVersion: String = apiVersionText,
        subresource: String = "",
        time: Timestamp? = nil,
        fields: FieldSet = FieldSet()
    ) {
        self.manager = manager
        self.operation = operation
        self.apiVersion = apiVersion
        self.subresource = subresource
        self.time = time
        self.fields = fields
    }

    package var identity: Identity {
        Identity(
            manager: manager,
            operation: operation,
            subresource: subresource,
            apiVersion: operation == .apply ? "" : apiVersion
        )
    }

    /// As conflicts name it: `"ci"`, or `"kubectl-edit" using meridian.dev/v1 at 2026-04-03T12:00:00Z`.
    package var title: String {
        var text = JSONValue.string(manager).text()
        if !subresource.isEmpty { text += " with subresource \(JSONValue.string(subresource).text())" }
        guard operation == .update else { return text }
        return "\(text) using \(apiVersion)" + (time.map { " at \($0)" } ?? "")
    }
}

extension ManagedFieldsEntry {
    /// Reads one entry of `metadata.managedFields`.
    ///
    /// - Throws: `MergeError` with code `malformed`.
    package init(_ value: JSONValue) throws(MergeError) {
        guard let word = value["operation"]?.string, let operation = Operation(rawValue: word) else {
            throw MergeError(.malformed, "metadata.managedFields: operation must be Apply or Update")
        }
        guard value["fieldsType"]?.string == "FieldsV1" else {
            throw MergeError(.malformed, "metadata.managedFields: fieldsType must be FieldsV1")
        }
        self.init(
            manager: value["manager"]?.string ?? "",
            operation: operation,
            apiVersion: value["apiVersion"]?.string ?? apiVersionText,
            subresource: value["subresource"]?.string ?? "",
            time: value["time"]?.string.flatMap { Timestamp($0) },
            fields: try FieldSet(fieldsV1: value["fieldsV1"] ?? [:])
        )
    }

    /// The entry as `metadata.managedFields` lists it.
    package var json: JSONValue {
        var object = JSONObject()
        object["manager"] = .string(manager)
        object["operation"] = .string(operation.rawValue)
        object["apiVersion"] = .string(apiVersion)
        object["time"] = time.map { .string($0.description) }
        object["fieldsType"] = "FieldsV1"
        object["fieldsV1"] = fields.fieldsV1
        if !subresource.isEmpty { object["subresource"] = .string(subresource) }
        return .object(object)
    }
}
