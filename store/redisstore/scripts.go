package redisstore

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"

	"github.com/gomodule/redigo/redis"
)

//go:embed lua/find.lua
var findSource string

//go:embed lua/swap.lua
var swapSource string

//go:embed lua/touch.lua
var touchSource string

//go:embed lua/index.lua
var indexSource string

//go:embed lua/owned.lua
var ownedSource string

//go:embed lua/forget.lua
var forgetSource string

// Each script touches one key, so that all of them work in a cluster.
var (
	findScript   = newScript(findSource)
	swapScript   = newScript(swapSource).confirmed()
	touchScript  = newScript(touchSource)
	indexScript  = newScript(indexSource).confirmed()
	ownedScript  = newScript(ownedSource)
	forgetScript = newScript(forgetSource)
)

type script struct {
	source  string
	hash    string // the name under which Redis keeps it
	confirm bool
}

func newScript(source string) script {
	sum := sha1.Sum([]byte(source))
	return script{source: source, hash: hex.EncodeToString(sum[:])}
}

// confirmed returns a script that returns 1 if it wrote, for what must not be lost;
// see command.confirm.
func (s script) confirmed() script {
	s.confirm = true
	return s
}

// run sends the script's hash only, and its source when the server, started or
// flushed since, doesn't know it.
func (s script) run(ctx context.Context, b backend, key string, args ...any) (any, error) {
	reply, err := b.do(ctx, s.byHash(key, args...))
	if replyCode(err) == "NOSCRIPT" {
		reply, err = b.do(ctx, s.bySource(key, args...))
	}
	return reply, err
}

func (s script) byHash(key string, args ...any) command {
	return command{name: "EVALSHA", args: append([]any{s.hash, 1, key}, args...), key: key, confirm: s.confirm}
}

func (s script) bySource(key string, args ...any) command {
	return command{name: "EVAL", args: append([]any{s.source, 1, key}, args...), key: key, confirm: s.confirm}
}

// replyCode returns the first word of the server's error reply, or "" if err is
// none.
func replyCode(err error) string {
	reply, ok := err.(redis.Error)
	if !ok {
		return ""
	}
	code, _ := splitReply(reply)
	return code
}
