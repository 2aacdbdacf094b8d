// Secret: values that programs get and nobody is shown.

/// Values that programs get and nobody is shown.
///
/// What people write in `stringData` is sealed before it is stored; what is stored and served is `sealed`. For Git,
/// `meridian seal` seals values with the platform's public key, and they stand in `sealed` from the beginning.
package struct Secret: APIObject {
    package static let kind = "Secret"

    package var apiVersion: String = apiVersionText
    package var kindName: String = Secret.kind
    package var metadata: Metadata = Metadata()
    /// What the values are for, in the words of Kubernetes; Meridian does not look at it.
    package var type: String = "Opaque"
    /// Plain values by key; only ever in a request, never stored or served.
    package var stringData: [String: String] = [:]
    /// Sealed values by key, as the store holds them.
    package var sealed: [String: String] = [:]

    package init() {}

    package static let shape: Shape<Secret> = Shape(
        kind,
        "Values that programs get and nobody is shown.",
        fields: [
            .init(required: "apiVersion", \.apiVersion, "The API's group and version.", .constant(apiVersionText)),
            .init(required: "kind", \.kindName, "The object's kind.", .constant(kind)),
            .init(required: "metadata", \.metadata, "What the object carries about itself."),
            .init("type", \.type, default: "Opaque", "What the values are for; a note for tools."),
            .init(
                "stringData",
                \.stringData,
                default: [:],
                "Plain values by key; sealed before they are stored.",
                .rule {
                    $0.reduce(0) { $0 + $1.value.utf8.count } > 524_288 ? "takes more than 512 KiB" : nil
                }
            ),
            .init(
                "sealed",
                \.sealed,
                default: [:],
                "Sealed values by key: what `meridian seal` made, or Meridian itself."
            ),
        ]
    )
}
