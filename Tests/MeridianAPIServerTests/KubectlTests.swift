// KubectlTests: real, unmodified clients against a real server.
import MeridianAPIClient
import MeridianModel
import MeridianPorts
import Testing

@Suite("Unmodified clients of Kubernetes", .serialized)
struct KubectlTests {
    @Test("kubectl does every line of the table", .timeLimit(.minutes(5)), arguments: KubectlVersion.allCases)
    func kubectl(_ version: KubectlVersion) async throws {
        let path: String?
        switch version {
        case .v1_37:
            path = ForeignProgram.find(
                "kubectl 1.37",
                variable: "MERIDIAN_KUBECTL_NEW",
                file: ".build/venv/bin/kubectl"
            )
        case .v1_20:
            path = ForeignProgram.find(
                "kubectl 1.20",
                variable: "MERIDIAN_KUBECTL_OLD",
                file: ".build/kubectl-1.20/usr/bin/kubectl"
            )
        }
        guard let path else { return }
        try await TestServer.run { server in
            try await server.storeRunner()
            let directory = try TestDirectory()
            for (name, text) in KubectlStep.files { try directory.write(text, name) }
            try directory.write(server.kubeconfig, "config")
            for step in KubectlStep.all {
                guard !step.missingIn.contains(version) else {
                    print("\(version.rawValue) lacks: kubectl \(step.words.joined(separator: " "))")
                    continue
                }
                // By now the loop would have told of the app that is described.
                if step.words == ["describe", "app", "hello"] { try await server.storeEvent() }
                let environment = ["KUBECONFIG": directory.path + "/config", "HOME": directory.path]
                let end = try await ForeignProgram.run(
                    path,
                    step.words,
                    environment: environment.merging(step.environment) { $1 },
                    directory: directory.path
                )
                let title = Comment(rawValue: "kubectl \(step.words.joined(separator: " "))\n\(end.code): \(end.text)")
                if let code = step.code { #expect(end.code == code, title) }
                for text in step.says { #expect(end.text.contains(text), title) }
                for text in step.hides { #expect(!end.text.contains(text), title) }
            }
        }
    }

    @Test("Kubernetes' client for Python discovers, applies, lists and watches", .timeLimit(.minutes(2)))
    func python() async throws {
        let found = ForeignProgram.find("python3", variable: "MERIDIAN_PYTHON", file: ".build/venv/bin/python")
        guard let found else { return }
        try await TestServer.run { server in
            let directory = try TestDirectory()
            try directory.write(server.kubeconfig, "config")
            try directory.write(Self.program, "client.py")
            let environment = ["KUBECONFIG": directory.path + "/config", "HOME": directory.path]
            let check = try await ForeignProgram.run(
                found,
                ["-c", "import kubernetes"],
                environment: environment,
                directory: directory.path
            )
            guard check.code == 0 else {
                print("skipped: the package kubernetes is not installed for \(found)")
                return
            }
            let end = try await ForeignProgram.run(
                found,
                ["client.py"],
                environment: environment,
                directory: directory.path
            )
            #expect(end.code == 0 && end.text == "hello hello 1 ADDED hello shop gone\n", Comment(rawValue: end.text))
        }
    }

    private static let program = """
        from kubernetes import client, config, dynamic
        config.load_kube_config()
        api = dynamic.DynamicClient(client.ApiClient())
        apps = api.resources.get(api_version="meridian.dev/v1", kind="App")
        body = {"apiVersion": "meridian.dev/v1", "kind": "App", "metadata": {"name": "hello"},
                "spec": {"source": {"path": "."}}}
        said = [apps.server_side_apply(body=body, namespace="default", field_manager="py").metadata.name]
        items = apps.get(namespace="default").items
        said += [items[0].metadata.name, str(len(items))]
        for event in apps.watch(namespace="default", timeout=1):
            said += [event["type"], event["object"].metadata.name]
        core = client.CoreV1Api()
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="shop")))
        said.append(core.read_namespace("shop").metadata.name)
        core.delete_namespace("shop")
        said.append("gone")
        print(*said)

        """
}

extension TestServer {
    fileprivate var kubeconfig: String {
        """
        apiVersion: v1
        kind: Config
        clusters: [{name: m, cluster: {server: "\(url)"}}]
        users: [{name: m, user: {}}]
        contexts: [{name: m, context: {cluster: m, user: m, namespace: default}}]
        current-context: m

        """
    }

    /// A runner of an app `hello`, as the loop stores it.
    fileprivate func storeRunner() async throws {
        let runner: JSONValue = [
            "apiVersion": "meridian.dev/v1", "kind": "Runner",
            "metadata": [
                "name": "hello-00001-abcde", "namespace": "default", "uid": "u1",
                "creationTimestamp": "2026-01-01T00:00:00Z",
            ],
            "spec": ["app": "hello", "revision": "hello-00001", "node": "local"],
            "status": ["state": "Ready", "pid": 7, "startedAt": "2026-01-01T00:00:00Z"],
        ]
        let key = ObjectKey(kind: "Runner", namespace: "default", name: "hello-00001-abcde")
        try await store.commit([.put(key, runner, .absent)])
    }

    /// An event of the app `hello`, as the loop stores it.
    fileprivate func storeEvent() async throws {
        let uid = try await client.get(.app("hello"))["metadata"]?["uid"] ?? ""
        let event: JSONValue = [
            "apiVersion": "meridian.dev/v1", "kind": "Event",
            "metadata": [
                "name": "hello-built", "namespace": "default", "uid": "e1", "creationTimestamp": "2026-01-01T00:00:00Z",
            ],
            "involvedObject": ["kind": "App", "namespace": "default", "name": "hello", "uid": uid],
            "reason": "Built",
            "message": "the bundle is there", "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:00:00.5Z",
        ]
        let key = ObjectKey(kind: "Event", namespace: "default", name: "hello-built")
        try await store.commit([.put(key, event, .absent)])
    }
}
