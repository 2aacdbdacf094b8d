// Table: the times of all repetitions, and what they say against the goals.

/// Times in nanoseconds by way and server.
struct Table {
    let ways: [Way]
    let wanted: Int
    private var quiet: [Way: [Server: [Int64]]] = [:]
    private var loud: [Way: [Server: [Int64]]] = [:]

    init(ways: [Way], wanted: Int) {
        self.ways = ways
        self.wanted = wanted
    }

    /// Takes a repetition; only those count during which the machine had nothing else to do.
    mutating func add(_ time: Int64, _ way: Way, _ server: Server, isQuiet: Bool) {
        if isQuiet {
            quiet[way, default: [:]][server, default: []].append(time)
        } else {
            loud[way, default: [:]][server, default: []].append(time)
        }
    }

    var isComplete: Bool {
        ways.allSatisfy { way in Server.allCases.allSatisfy { (quiet[way]?[$0]?.count ?? 0) >= wanted } }
    }

    /// Markdown: medians and 99th percentiles in microseconds, then the ratios that the goals are about.
    var text: String {
        let columns = Server.allCases.map { "\($0.title) p10 | median | p99 | p99 ÷ median" }
        var lines = ["| how | " + columns.joined(separator: " | ") + " |"]
        lines.append("|---|" + String(repeating: "---:|", count: 4 * Server.allCases.count))
        for way in ways {
            let cells = Server.allCases.map { server in
                let (median, tail) = (percentile(50, way, server), percentile(99, way, server))
                return
                    "\(percentile(10, way, server) / 1000) | \(median / 1000) | \(tail / 1000) | \(ratio(tail, median))"
            }
            lines.append("| \(way.title) | " + cells.joined(separator: " | ") + " |")
        }
        for percent in [50, 10] {
            let base = percent == 50 ? "medians" : "fastest tenths, which the rest of the machine disturbs least"
            let titles = Server.allCases.map(\.title).joined(separator: " | ")
            lines += ["", "| against bare, by the \(base) | \(titles) | goal |"]
            lines.append("|---|" + String(repeating: "---:|", count: Server.allCases.count) + "---|")
            lines += goals(percent)
        }
        let counts = ways.flatMap { way in Server.allCases.map { quiet[way]?[$0]?.count ?? 0 } }
        let others = loud.values.flatMap(\.values).reduce(0) { $0 + $1.count }
        let use = isComplete ? "left out" : "taken in, since the quiet ones are too few"
        lines += [
            "",
            "Microseconds; \(counts.min() ?? 0) to \(counts.max() ?? 0) quiet repetitions, \(others) others \(use).",
        ]
        return lines.joined(separator: "\n")
    }

    /// A row per goal, from this percentile of all times.
    private func goals(_ percent: Int) -> [String] {
        func time(_ way: Way, _ server: Server) -> Int64 { percentile(percent, way, server) }
        func overhead(_ way: Way, _ server: Server) -> Int64 { time(way, server) - time(.bare, server) }
        return [
            row("pool hit ÷ bare", "≤ 1.15") { ratio(time(.hit, $0), time(.bare, $0)) },
            row("pool miss − bare", "≤ 1000") { "\(overhead(.miss, $0) / 1000)" },
            row("resume", "≤ 400") { "\(time(.resume, $0) / 1000)" },
            row("pool hit through the edge ÷ bare", "") { ratio(time(.edgeHit, $0), time(.bare, $0)) },
            row("crun's overhead ÷ pool miss's", "≥ 9") { ratio(overhead(.crun, $0), overhead(.miss, $0)) },
            row("bubblewrap's overhead ÷ pool miss's", "≥ 3.5") {
                ratio(overhead(.bubblewrap, $0), overhead(.miss, $0))
            },
        ]
    }

    private func row(_ title: String, _ goal: String, _ cell: (Server) -> String) -> String {
        "| \(title) | " + Server.allCases.map(cell).joined(separator: " | ") + " | \(goal) |"
    }

    private func ratio(_ value: Int64, _ base: Int64) -> String {
        guard base != 0 else { return "–" }
        let hundredths = (value * 100 + base / 2) / base
        let digits = String(abs(hundredths) % 100)
        return "\(hundredths < 0 ? "−" : "")\(abs(hundredths) / 100).\(digits.count < 2 ? "0" : "")\(digits)"
    }

    private func percentile(_ percent: Int, _ way: Way, _ server: Server) -> Int64 {
        let all = (quiet[way]?[server] ?? []) + (isComplete ? [] : loud[way]?[server] ?? [])
        let sorted = all.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * percent / 100)]
    }
}
