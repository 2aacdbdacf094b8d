//! hello-rust: a web server with the standard library alone: a thread per connection.
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{env, io, process, thread};

fn variable(name: &str, fallback: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| fallback.to_string())
}

/// Answers one request and closes the connection.
fn serve(mut connection: TcpStream, greeting: &str) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let (status, body) = match request.split(' ').nth(1) {
        Some("/") => ("200 OK", format!("{greeting} from hello-rust\n")),
        Some("/healthz") => ("200 OK", "ok\n".to_string()),
        _ => ("404 Not Found", "hello-rust has / and /healthz\n".to_string()),
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn main() {
    let greeting = variable("GREETING", "Hello");
    // 127.0.0.1 would not be reachable from outside the sandbox. SIGTERM ends the program by itself.
    let address = format!("0.0.0.0:{}", variable("PORT", "8080"));
    let listener = TcpListener::bind(&address).unwrap_or_else(|error| {
        eprintln!("hello-rust: cannot listen on {address}: {error}");
        process::exit(1);
    });
    for connection in listener.incoming().flatten() {
        let greeting = greeting.clone();
        // A client that goes away early is no concern of the others.
        thread::spawn(move || serve(connection, &greeting));
    }
}
