// BundleManifest: what a built app is in the registry: an OCI image manifest of one layer and its configuration.

/// A built app as content: a configuration blob and one tar layer, named by their digests.
///
/// It is an OCI image manifest (image-spec v1.1, "Image Manifest" with `artifactType`), so that OCI registries can hold it.
package struct BundleManifest: Shaped {
    /// The media type of the manifest itself.
    package static let manifestMediaType = "application/vnd.oci.image.manifest.v1+json"
    /// What tells Meridian's bundles from container images.
    package static let bundleArtifactType = "application/vnd.meridian.bundle.v1"
    /// Enough for the fields and a few annotations; a larger manifest is not one of ours.
    package static let bytesMax = 64 << 10

    /// Always 2 (OCI image-spec).
    package var schemaVersion: Int = 2
    package var mediaType: String = Self.manifestMediaType
    package var artifactType: String = Self.bundleArtifactType
    /// The blob that reads as a `BundleConfiguration`.
    package var config: BundleBlob = BundleBlob()
    /// Exactly one: the tar of everything that is mounted at `/app`.
    package var layers: [BundleBlob] = []

    package init() {}

    package init(config: BundleBlob, layer: BundleBlob) {
        self.config = config
        layers = [layer]
    }

    /// The one text of this manifest; its SHA-256 is the digest of the bundle.
    package var canonicalUTF8: [UInt8] { encoded().canonicalUTF8 }

    /// Every digest that the manifest needs beside itself: the configuration first, then the layer.
    package var blobs: [Digest] { [config.digest] + layers.map(\.digest) }

    package static let shape: Shape<BundleManifest> = Shape(
        "BundleManifest",
        "A built app as content: an OCI image manifest of one layer.",
        fields: [
            .init(required: "schemaVersion", \.schemaVersion, "Always 2.", .range(2...2)),
            .init(required: "mediaType", \.mediaType, "The OCI manifest type.", .only(Self.manifestMediaType)),
            .init(required: "artifactType", \.artifactType, "The bundle type.", .only(Self.bundleArtifactType)),
            .init(required: "config", \.config, "The blob that reads as a BundleConfiguration."),
            .init(required: "layers", \.layers, "Exactly one: the tar that is mounted at /app.", .one),
        ],
        rules: [
            ShapeRule { manifest, path, context in
                manifest.config.require(BundleBlob.configurationMediaType, at: path["config"], &context)
                for (index, layer) in manifest.layers.enumerated() {
                    let place = path["layers"][index]
                    layer.require(BundleBlob.layerMediaType, at: place, &context)
                }
            }
        ]
    )
}

/// One blob that a bundle manifest refers to (OCI image-spec, "Content Descriptors").
package struct BundleBlob: Shaped {
    /// The media type of a `BundleConfiguration`.
    package static let configurationMediaType = "application/vnd.meridian.bundle.config.v1+json"
    /// The media type of the files, an uncompressed tar.
    package static let layerMediaType = "application/vnd.oci.image.layer.v1.tar"

    package var mediaType: String = ""
    package var digest: Digest = .zero
    /// Bytes; at least 0.
    package var size: Int = 0

    package init() {}

    package init(mediaType: String, digest: Digest, size: Int) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
    }

    package static let shape: Shape<BundleBlob> = Shape(
        "BundleBlob",
        "One blob that a bundle manifest refers to.",
        fields: [
            .init(required: "mediaType", \.mediaType, "What the blob is."),
            .init(required: "digest", \.digest, "The blob's name."),
            .init(required: "size", \.size, "Bytes.", .range(0...(1 << 40))),
        ]
    )

    fileprivate func require(_ wanted: String, at path: FieldPath, _ context: inout DecodingContext) {
        guard mediaType != wanted else { return }
        let place = path["mediaType"]
        context.add(.invalid, at: place, "\(place): expected \"\(wanted)\", got \"\(mediaType.prefix(80))\"")
    }
}

/// How the program inside a bundle is started.
package struct BundleConfiguration: Shaped {
    /// The executable's path inside the bundle, relative.
    package var executable: String = ""
    /// Arguments that stand before the app's own.
    package var arguments: [String] = []
    /// The preset that built it.
    package var preset: BuildPreset = .auto
    /// Shared libraries that were collected into the bundle, relative paths, sorted.
    package var libraries: [String] = []

    package init() {}

    package init(executable: String, arguments: [String], preset: BuildPreset, libraries: [String]) {
        self.executable = executable
        self.arguments = arguments
        self.preset = preset
        self.libraries = libraries
    }

    /// The one text of this configuration, for its blob.
    package var canonicalUTF8: [UInt8] { encoded().canonicalUTF8 }

    package static let shape: Shape<BundleConfiguration> = Shape(
        "BundleConfiguration",
        "How the program inside a bundle is started.",
        fields: [
            .init(required: "executable", \.executable, "The executable's path in the bundle.", .relativePath),
            .init("arguments", \.arguments, default: [], "Arguments that stand before the app's own."),
            .init(required: "preset", \.preset, "The preset that built it."),
            .init("libraries", \.libraries, default: [], "Collected shared libraries, sorted.", .relativePaths),
        ]
    )
}

extension Constraint<String> {
    fileprivate static func only(_ wanted: String) -> Constraint {
        .rule { $0 == wanted ? nil : "expected \"\(wanted)\", got \"\($0.prefix(80))\"" }
    }
}

extension Constraint<[BundleBlob]> {
    fileprivate static var one: Constraint {
        .rule { $0.count == 1 ? nil : "expected exactly one layer, got \($0.count)" }
    }
}
