module github.com/gosatchel/satchel/store/redisstore/goredis

go 1.26.0

require (
	github.com/gosatchel/satchel v0.0.0
	github.com/redis/go-redis/v9 v9.23.0
)

require (
	github.com/FZambia/sentinel/v2 v2.0.1 // indirect
	github.com/alexedwards/scs/v2 v2.9.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/gomodule/redigo v1.9.3 // indirect
	github.com/mna/redisc v1.4.0 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
)

replace github.com/gosatchel/satchel => ../../..
