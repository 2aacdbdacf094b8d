// Region: a place with a location where runners run.

/// A place where runners run.
package typealias Region = Resource<RegionSpec, RegionStatus>

/// `spec` of a Region; cluster-scoped.
package struct RegionSpec: ResourceSpec {
    package static let kind = "Region"
    /// The region that always exists.
    package static let localName = "local"

    package var location: GeoLocation?
    /// Other names: IATA codes, cloud names; compared without case.
    package var aliases: [String] = []
    /// Regions to turn to, in order, when this one cannot serve.
    package var fallback: [String] = []
    /// The nodes that serve the region; none: every node.
    package var nodes: [String] = []

    package init() {}

    package static let shape: Shape<RegionSpec> = Shape(
        "RegionSpec",
        "A place with a location where runners run.",
        fields: [
            .init("location", optional: \.location, "Where the region is."),
            .init(
                "aliases",
                \.aliases,
                default: [],
                "Other names: IATA codes, cloud names.",
                .placeNames,
                .unordered()
            ),
            .init("fallback", \.fallback, default: [], "Regions to turn to, in order.", .placeNames),
            .init(
                "nodes",
                \.nodes,
                default: [],
                "The nodes that serve the region; none: every node.",
                .placeNames,
                .unordered()
            ),
        ]
    )
}

extension Constraint where Value == [String] {
    /// DNS labels, in any case.
    fileprivate static var placeNames: Constraint {
        .rule {
            $0.lazy.filter { !isDNSLabel($0.lowercased()) }.first.map { "\"\($0)\" is not a name: use a DNS label" }
        }
    }
}

/// A point on the earth in degrees (WGS 84).
package struct GeoLocation: Shaped {
    package var latitude: Double = 0
    package var longitude: Double = 0

    package init() {}

    package static let shape: Shape<GeoLocation> = Shape(
        "GeoLocation",
        "A point on the earth in degrees.",
        fields: [
            .init(required: "latitude", \.latitude, "Degrees north.", .range(-90...90)),
            .init(required: "longitude", \.longitude, "Degrees east.", .range(-180...180)),
        ]
    )
}

/// `status` of a Region.
package struct RegionStatus: Shaped {
    package var observedGeneration: Int = 0
    /// `Ready`: at least one node serves the region.
    package var conditions: [Condition] = []

    package init() {}

    package static let shape: Shape<RegionStatus> = Shape(
        "RegionStatus",
        "What Meridian observes of a region.",
        fields: [
            .init("observedGeneration", \.observedGeneration, default: 0, "The generation that was looked at."),
            .init("conditions", \.conditions, default: [], "Ready.", .keyed(by: "type")),
        ]
    )
}
