package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func ExampleOpen() {
	sessions, err := redisstore.Open("redis://localhost:6379/0?max_active=50", redisstore.Options{
		Prefix: "shop:",
	})
	if err != nil {
		log.Fatal(err) // the URL or an option is wrong; nothing was connected yet
	}
	defer sessions.Close()

	// For a readiness check. The app may well start without.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := sessions.Ping(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleOpen_tls() {
	sessions, err := redisstore.Open("rediss://app:p%40ss@redis.example.com:6380", redisstore.Options{
		TLS: &tls.Config{MinVersion: tls.VersionTLS13},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
}

// Errors about a URL say what is wrong with it and never repeat it.
func ExampleOpen_invalid() {
	_, err := redisstore.Open("redis://:hunter2@localhost:6379/0?max_activ=50", redisstore.Options{})
	fmt.Println(err)
	// Output: redisstore: the URL's parameter max_activ is unknown
}

func ExampleNew() {
	pool := &redis.Pool{
		MaxActive: 64,
		MaxIdle:   64,
		Wait:      true,
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "tcp", "localhost:6379", redis.DialReadTimeout(3*time.Second))
		},
	}
	defer pool.Close()
	sessions := redisstore.New(pool, "shop:")

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := sessions.Find(ctx, "some id")
	switch {
	case errors.Is(err, store.ErrNotFound):
		fmt.Println("no such session")
	case err != nil:
		fmt.Println("the store failed:", err)
	}
}
