package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
)

func ExampleOpen() {
	kept, err := redisstore.Open("redis://localhost:6379/0?max_active=50", redisstore.Options{
		Prefix: "shop:",
	})
	if err != nil {
		log.Fatal(err) // the URL or an option is wrong; nothing was connected yet
	}
	defer kept.Close()

	// For a readiness check. The app may well start without.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := kept.Ping(ctx); err != nil {
		log.Print(err)
	}
}

func ExampleOpen_tls() {
	kept, err := redisstore.Open("rediss://app:p%40ss@redis.example.com:6380", redisstore.Options{
		TLS: &tls.Config{MinVersion: tls.VersionTLS13},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer kept.Close()
}

// The master that three sentinels watch, with their own password, and commits that wait
// until one of its replicas has them.
func ExampleOpen_sentinel() {
	kept, err := redisstore.Open("redis+sentinel://app:p%40ss@s1,s2,s3/shop/0?sentinel_password=p%40ss&wait_replicas=1", redisstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer kept.Close()
	_ = session.New(kept, session.Options{}) // and wrap your handler
}

// A cluster, by some of its nodes. The others are found.
func ExampleOpen_cluster() {
	kept, err := redisstore.Open("redis+cluster://app:p%40ss@node1,node2:7000,node3", redisstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer kept.Close()
	_ = session.New(kept, session.Options{})
}

// Tokens that expire take the place of a password. Connections are replaced before their
// token is an hour old.
func ExampleOpen_credentials() {
	token := func(ctx context.Context) (string, error) { return "from your cloud's metadata", nil }
	kept, err := redisstore.Open("rediss://redis.example.com:6380?conn_lifetime=50m", redisstore.Options{
		Credentials: func(ctx context.Context) (user, password string, err error) {
			password, err = token(ctx)
			return "app", password, err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer kept.Close()
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
	kept := redisstore.New(pool, "shop:")

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := kept.Find(ctx, "some id")
	switch {
	case errors.Is(err, store.ErrNotFound):
		fmt.Println("no such session")
	case err != nil:
		fmt.Println("the store failed:", err)
	}
}
