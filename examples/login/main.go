// Command login is signing in on Satchel: a new id with every sign-in, a form that
// remembers the user name and never the password, "keep me signed in", a list of
// the devices to sign out from afar, and a page that asks for the password again.
//
//	go run ./examples/login
//	go run ./examples/login -redis redis://localhost:6379/0
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/memstore"
	"github.com/gosatchel/satchel/store/redisstore"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "`host:port` to listen on; port 0 picks a free one")
	redisURL := flag.String("redis", "", "Redis `URL`, e.g. redis://localhost:6379/0 (default: in memory)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, *addr, *redisURL); err != nil {
		log.Fatalf("login: %v", err)
	}
}

// run serves the app until ctx is done, and then lets requests in flight finish.
func run(ctx context.Context, addr, redisURL string) (err error) {
	sessions, err := open(redisURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sessions.Close()) }()

	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           newApp(sessions),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Printf("listening on http://%s\n", listener.Addr())

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return server.Shutdown(patience)
}

type closingStore interface {
	store.Store
	io.Closer
}

// open returns the store of the sessions. All that a handler does with a session
// is the same in both.
func open(redisURL string) (closingStore, error) {
	if redisURL == "" {
		return memstore.New(), nil
	}
	return redisstore.Open(redisURL, redisstore.Options{Prefix: "satchel-login:"})
}
