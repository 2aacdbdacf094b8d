// hello-go: a web server with net/http: listens on every address at $PORT, ends well when SIGTERM comes.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func variable(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s from hello-go\n", variable("GREETING", "Hello"))
	})
	// An empty host means every address; "localhost:" would not be reachable from outside the sandbox.
	server := &http.Server{Addr: ":" + variable("PORT", "8080"), Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	stopping, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		<-stopping.Done()
		patience, done := context.WithTimeout(context.Background(), 5*time.Second)
		defer done()
		stopped <- server.Shutdown(patience)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-stopped; err != nil {
		log.Fatal(err)
	}
}
