// SchemaTests: schemas/ is what the types say, and an independent validator agrees with the manifests in the repository.

import Glibc
import MeridianManifests
import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("JSON Schemas")
struct SchemaTests {
    @Test("schemas/ holds exactly what `meridian schema --all` writes")
    func fresh() throws {
        let root = try #require(packageRoot())
        let files = SchemaFile.all
        #expect(names(in: "\(root)/schemas") == files.map(\.name).sorted(), "run: meridian schema --all schemas")
        for file in files {
            #expect(
                text(of: "\(root)/schemas/\(file.name)") == file.text,
                "\(file.name): run: meridian schema --all schemas"
            )
        }
    }

    @Test("`schema KIND` prints what `schema --all` writes; an unknown kind is a usage error")
    func verb() async throws {
        let folder = try TestFolder()
        #expect(await CommandRun(["schema", "--all", "\(folder.path)/new"]).code == 0)
        let printed = await CommandRun(["schema", "apps"])
        #expect(text(of: "\(folder.path)/new/app.json") == printed.output)
        let unknown = await CommandRun(["schema", "regoin"])
        #expect(unknown.code == 64)
        #expect(unknown.errors.contains("\"regoin\" is no kind: did you mean \"region\"?"))
    }

    @Test("an independent validator accepts every manifest of the repository")
    func independent() throws {
        let root = try #require(packageRoot())
        let script = "import jsonschema, json, sys"
        guard Glibc.system("python3 -c '\(script)' 2>/dev/null") == 0 else {
            print("skipped: python3 with the package jsonschema is not installed")
            return
        }
        let set = ManifestFiles.read(["\(root)/manifests"], recursive: true)
        guard !set.documents.isEmpty else {
            print("skipped: no manifests in the repository")
            return
        }
        #expect(set.diagnostics == [])
        let folder = try TestFolder(["check.py": Self.checker])
        let documents = set.documents.map { document -> JSONValue in
            ["file": .string(document.file), "object": document.value]
        }
        try folder.write("documents.json", JSONValue.array(documents).text())
        #expect(Glibc.system("python3 \(folder.path)/check.py '\(root)/schemas' \(folder.path)/documents.json") == 0)
    }

    /// Validates each object against the schema of its kind, after checking the schema itself.
    private static let checker = """
        import json, jsonschema, sys
        failed = False
        for document in json.load(open(sys.argv[2])):
            kind = document["object"]["kind"].lower()
            schema = json.load(open(f"{sys.argv[1]}/{kind}.json"))
            jsonschema.Draft202012Validator.check_schema(schema)
            for error in jsonschema.Draft202012Validator(schema).iter_errors(document["object"]):
                print(document["file"], error.json_path, error.message)
                failed = True
        sys.exit(failed)
        """
}
