package goredis_test

import (
	"github.com/redis/go-redis/v9"

	"github.com/gosatchel/satchel/session"
	"github.com/gosatchel/satchel/store/redisstore"
	"github.com/gosatchel/satchel/store/redisstore/goredis"
)

// The client is the one that the app uses for everything else.
func Example() {
	rdb := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 []string{"node1:6379", "node2:6379", "node3:6379"},
		ContextTimeoutEnabled: true,
	})
	kept := redisstore.NewFromClient(goredis.Client(rdb), "shop:")
	sessions := session.New(kept, session.Options{})
	_ = sessions.Handler // wraps the app's handler
}
