// FieldManagerOptions: whose fields a verb applies.

internal import ArgumentParser
internal import MeridianModel

/// The manager of the fields that are applied.
struct FieldManagerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who owns the fields that are applied.", valueName: "name"))
    var fieldManager = meridianManager

    func validate() throws {
        guard !fieldManager.isEmpty else { throw ValidationError("--field-manager must not be empty.") }
    }
}

extension JSONValue {
    /// This object without the list of who owns which fields, which is longer than most objects.
    var hidingManagedFields: JSONValue {
        guard case .object(var object) = self, case .object(var metadata)? = object["metadata"] else { return self }
        metadata["managedFields"] = nil
        object["metadata"] = .object(metadata)
        return .object(object)
    }
}
