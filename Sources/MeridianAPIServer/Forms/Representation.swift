// Representation: served objects, lists and events in the form that a client asked for.
internal import MeridianMerging
internal import MeridianModel
internal import MeridianPorts

/// One resource's objects in one form.
struct Representation: Sendable {
    let resource: ServedResource
    let form: AnswerForm
    private let table: TableText

    /// Ages in tables count up to `now`.
    init(_ resource: ServedResource, _ form: AnswerForm, now: Timestamp) {
        self.resource = resource
        self.form = form
        table = TableText(kind: resource.kind, isWide: true, now: now)
    }

    /// One object; `object` is in the stored form with its resourceVersion.
    func object(_ object: JSONValue) -> JSONValue {
        switch form {
        case .whole: return resource.view.shown(object)
        case .metadata: return Self.partial(resource.view.shown(object))
        case .table:
            var metadata = JSONObject()
            metadata["resourceVersion"] = object["metadata"]?["resourceVersion"]
            return tableObject([object], metadata, hasColumns: true)
        }
    }

    /// A list; `metadata` has its resourceVersion and where the next page begins.
    func list(_ objects: [JSONValue], _ metadata: JSONObject) -> JSONValue {
        switch form {
        case .table: return tableObject(objects, metadata, hasColumns: true)
        case .whole:
            let items = objects.map(resource.view.shown)
            return Self.list("\(resource.kind.name)List", resource.kind.apiVersion, items, metadata)
        case .metadata:
            let items = objects.map { Self.partial(resource.view.shown($0)) }
            return Self.list("PartialObjectMetadataList", "meta.k8s.io/v1", items, metadata)
        }
    }

    /// The object of a watch's event; the columns of a table are sent with the first one alone.
    func eventObject(_ object: JSONValue, isFirst: Bool) -> JSONValue {
        guard case .table = form else { return self.object(object) }
        var metadata = JSONObject()
        metadata["resourceVersion"] = object["metadata"]?["resourceVersion"]
        return tableObject([object], metadata, hasColumns: isFirst)
    }

    /// A bookmark's object: nothing but a resourceVersion and annotations.
    func bookmark(_ metadata: JSONObject) -> JSONValue {
        switch form {
        case .whole:
            return [
                "kind": .string(resource.kind.name), "apiVersion": .string(resource.kind.apiVersion),
                "metadata": .object(metadata),
            ]
        case .metadata:
            return [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": .object(metadata),
            ]
        case .table:
            let object: JSONValue = [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": .object(metadata),
            ]
            var listMetadata = JSONObject()
            listMetadata["resourceVersion"] = metadata["resourceVersion"]
            return Self.table([["cells": [], "object": object]], columns: [], listMetadata)
        }
    }

    private static func list(
        _ kind: String,
        _ apiVersion: String,
        _ items: [JSONValue],
        _ metadata: JSONObject
    ) -> JSONValue {
        [
            "kind": .string(kind), "apiVersion": .string(apiVersion), "metadata": .object(metadata),
            "items": .array(items),
        ]
    }

    private static func partial(_ object: JSONValue) -> JSONValue {
        ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] ?? [:]]
    }
}

extension Representation {
    private func tableObject(_ objects: [JSONValue], _ metadata: JSONObject, hasColumns: Bool) -> JSONValue {
        Self.table(objects.map(row), columns: hasColumns ? columnDefinitions : [], metadata)
    }

    private static func table(_ rows: [JSONValue], columns: [JSONValue], _ metadata: JSONObject) -> JSONValue {
        [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": .object(metadata),
            "columnDefinitions": .array(columns), "rows": .array(rows),
        ]
    }

    /// A row: cells are printed as they are, so ages are words already.
    private func row(_ object: JSONValue) -> JSONValue {
        let shown = resource.view.shown(object)
        var row = JSONObject()
        row["cells"] = .array(table.cells(of: resource.view.hasOwnColumns ? shown : object).map { .string($0) })
        guard case .table(let included) = form else { return .object(row) }
        switch included {
        case .none: break
        case .metadata: row["object"] = Self.partial(shown)
        case .object: row["object"] = shown
        }
        return .object(row)
    }

    private var columnDefinitions: [JSONValue] {
        let name: JSONValue = [
            "name": "Name", "type": "string", "format": "name", "description": "The object's name.", "priority": 0,
        ]
        return [name]
            + resource.kind.columns.map { column in
                [
                    "name": .string(column.name), "type": "string", "format": "",
                    "description": .string(column.path), "priority": .integer(column.isWide ? 1 : 0),
                ]
            }
    }
}
