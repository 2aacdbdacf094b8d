// main.swift: a web server in Swift without dependencies.
//
// What every app on Meridian does: listen on 0.0.0.0 at $PORT, and end when SIGTERM comes.
import Glibc

/// A variable of the environment.
func variable(_ name: String, default fallback: String) -> String {
    guard let value = getenv(name), value.pointee != 0 else { return fallback }
    return String(cString: value)
}

// A disconnected client makes write(2) fail instead of ending the program.
signal(SIGPIPE, SIG_IGN)
// The requests in progress are a few milliseconds long, so the program may end at once.
signal(SIGTERM) { _ in _exit(0) }

let port = UInt16(variable("PORT", default: "8080")) ?? 8080
guard let server = Server(port: port, greeting: variable("GREETING", default: "Hello")) else {
    perror("hello-swift: cannot listen on port \(port)")
    exit(1)
}
print("hello-swift listens on 0.0.0.0:\(port)")
fflush(nil)  // the log shows the line at once
server.run()
