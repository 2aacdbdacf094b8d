// AppArguments: the one app that a verb is about.

internal import ArgumentParser
internal import MeridianModel

/// The app, the namespace and the server of the verbs that act on one app.
struct AppArguments: ParsableArguments {
    @Argument(help: "The app's name.") var app: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    /// The app's identity; `app/hello` means hello as well.
    var key: ObjectKey {
        let name = app.hasPrefix("app/") ? String(app.dropFirst("app/".count)) : app
        return ObjectKey(kind: App.kind, namespace: namespace.namespace, name: name)
    }
}
