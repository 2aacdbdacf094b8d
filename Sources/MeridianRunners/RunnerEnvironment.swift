// RunnerEnvironment: the variables that a runner starts with, as Globe promised them.
internal import MeridianModel

/// Meridian's variables and the app's own.
enum RunnerEnvironment {
    /// `NAME=VALUE`, sorted by name.
    ///
    /// The app's own win, except over PORT and HOSTNAME, which only Meridian knows.
    static func variables(id: String, port: UInt16, template: RunnerTemplate, bundle: String) -> [String] {
        var variables = [
            "GLOBE": "1",
            "HOME": "/home/app",
            "LANG": "C.UTF-8",
            "PATH": "/app:/usr/local/bin:/usr/bin:/bin",
            "TMPDIR": "/tmp",
        ]
        // The build collects the executable's shared libraries there.
        if fileExists("\(bundle)/lib") { variables["LD_LIBRARY_PATH"] = "/app/lib" }
        variables.merge(template.environment) { _, own in own }
        variables["PORT"] = String(port)
        variables["HOSTNAME"] = id
        return variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}
