// IgnoreTests: .gitignore patterns, by the manual and against Git itself.
import Glibc
import MeridianModel
import Testing

@testable import MeridianContent

@Suite("Ignore rules")
struct IgnoreTests {
    private func ignores(_ rules: String, _ path: String, isDirectory: Bool = false) -> Bool {
        IgnoreRules().adding(rules, depth: 0).ignores(
            path.split(separator: "/").map(String.init),
            isDirectory: isDirectory
        )
    }

    @Test("match as gitignore(5) says")
    func manual() {
        let matching = [
            ("*.o", "a/b/x.o"), ("/x", "x"), ("a/x", "a/x"), ("**/x", "a/b/x"), ("**/x", "x"), ("a/**", "a/b/c"),
            ("a/**/b", "a/b"), ("a/**/b", "a/x/y/b"), ("x[0-9]", "x5"), ("x[!0-9]", "xa"), ("x[[:digit:]]", "x7"),
            ("\\#x", "#x"), ("\\!x", "!x"), ("x?", "xy"), ("*", ".hidden"), ("x\\ ", "x "), ("a*b*c", "aXbXbc"),
            ("[]]", "]"), ("x\r", "x"), ("x   ", "x"), ("foo**bar", "fooXbar"),
        ]
        for (rule, path) in matching { #expect(ignores(rule, path), "\(rule) should match \(path)") }
        let other = [
            ("/x", "a/x"), ("a/x", "b/a/x"), ("# x", "# x"), ("a/**", "a"), ("x?", "x"), ("*.o", "x.oo"), ("x/", "x"),
            ("a*b", "a/b"), ("[a", "a"), ("", "x"), ("x[!0-9]", "x5"),
        ]
        for (rule, path) in other { #expect(!ignores(rule, path), "\(rule) should not match \(path)") }
        #expect(ignores("x/", "x", isDirectory: true))
        #expect(!ignores("*.o\n!keep.o", "keep.o"))
        #expect(ignores("!keep.o\n*.o", "keep.o"))
    }

    @Test("match a pattern of many stars in no time")
    func manyStars() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!ignores(pattern, String(repeating: "a", count: 250)))
        let deep = String(repeating: "**/a/", count: 60) + "b"
        #expect(!ignores(deep, Array(repeating: "a", count: 60).joined(separator: "/")))
    }

    @Test("agree with Git on a tree of awkward names")
    func againstGit() throws {
        try withDirectory { directory in
            guard run("git init -q \(directory)")?.status == 0 else {
                print("skipped: git is not installed")
                return
            }
            try makeTree(
                directory,
                [
                    ".gitignore":
                        "*.log\n!keep.log\n/build/\ndoc/**/tmp\n**/cache\nout*\n!out-keep\n[Tt]est?\n\\#hash\nsp\\ \n",
                    "a/.gitignore": "!*.log\n/only-here\nsub/\n",
                    "a/b/.gitignore": "*\n!.gitignore\n!seen/\n!seen/**\n",
                    "x.log": "", "keep.log": "", "a/x.log": "", "a/b/x.log": "", "build/f": "", "a/build/f": "",
                    "doc/tmp": "", "doc/x/y/tmp": "", "x/doc/tmp": "", "cache/f": "", "a/cache/f": "", "out": "",
                    "outer/f": "",
                    "out-keep": "", "test1": "", "Test2": "", "test": "", "#hash": "", "sp ": "", "sp": "",
                    "a/only-here": "",
                    "a/c/only-here": "", "a/sub/f": "", "a/c/sub/f": "", "a/c/sub2": "", "a/b/seen/f": "",
                    "a/b/seen/x.log": "",
                    "a/b/hidden": "", "ü.log": "", "ü.txt": "",
                ]
            )
            let listed = try #require(
                run("cd \(directory) && git -c core.quotePath=false ls-files --cached --others --exclude-standard")
            )
            let expected = listed.output.split(separator: "\n").map(String.init).sorted()
            let items = try SourcePacking.items(of: directory)
            #expect(items.map(\.path.description).sorted() == expected)
        }
    }
}
