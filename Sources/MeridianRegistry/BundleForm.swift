// BundleForm: bundle manifests and configurations from bytes that anyone may have pushed.
internal import MeridianModel
internal import MeridianPorts

/// Reading bundle documents, strictly.
enum BundleForm {
    /// A manifest, or the first thing that is wrong with the bytes.
    static func manifest(_ bytes: [UInt8]) -> Result<BundleManifest, RegistryError> { read(bytes, "bundle manifest") }

    /// A configuration, or the first thing that is wrong with the bytes.
    static func configuration(_ bytes: [UInt8]) -> Result<BundleConfiguration, RegistryError> {
        read(bytes, "bundle configuration")
    }

    private static func read<Document: Shaped>(_ bytes: [UInt8], _ what: String) -> Result<Document, RegistryError> {
        guard bytes.count <= BundleManifest.bytesMax else {
            return .failure(RegistryError(.refused, "a \(what) has at most \(BundleManifest.bytesMax) bytes"))
        }
        let json: JSONValue
        do throws(JSONSyntaxError) {
            json = try JSONValue(parsing: bytes)
        } catch {
            return .failure(RegistryError(.refused, "not a \(what): \(error)"))
        }
        var context = DecodingContext()
        if let document = Document.decode(json, at: .root, &context) { return .success(document) }
        let problem = context.problems.first?.message ?? "it has another form"
        return .failure(RegistryError(.refused, "not a \(what): \(problem)"))
    }
}
