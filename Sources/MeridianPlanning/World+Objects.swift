// World+Objects: any object of a world by its key.
package import MeridianModel

extension World {
    /// The object at `key`; nil where there is none, or where it cannot be read.
    package func object(_ key: ObjectKey) -> (any APIObject)? {
        switch key.kind {
        case AppSpec.kind: apps[key.path]?.object
        case RevisionSpec.kind: revisions[key.path]?.object
        case TrafficSplitSpec.kind: splits[key.path]?.object
        case RegionSpec.kind: regions[key.path]?.object
        case SyscallAllowlistSpec.kind: allowlists[key.path]?.object
        case EdgePolicySpec.kind: policies[key.path]?.object
        case Secret.kind: secrets[key.path]?.object
        case NodeSpec.kind: nodes[key.path]?.object
        case RunnerSpec.kind: runners[key.path]?.object
        case GitSourceSpec.kind: gitSources[key.path]?.object
        default: others[key]
        }
    }
}
