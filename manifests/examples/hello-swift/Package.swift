// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "hello-swift",
    targets: [.executableTarget(name: "hello-swift")]
)
