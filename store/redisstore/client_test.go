package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/gosatchel/satchel/internal/redistest"
	"github.com/gosatchel/satchel/store"
	"github.com/gosatchel/satchel/store/redisstore"
	"github.com/gosatchel/satchel/store/storetest"
)

// plainClient is the least of a Client: no pipeline, texts as strings, no context.
type plainClient struct{ pool *redis.Pool }

func newPlainClient(t *testing.T, addr string) plainClient {
	pool := &redis.Pool{MaxIdle: 10, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", addr) }}
	t.Cleanup(func() { pool.Close() })
	return plainClient{pool}
}

func (c plainClient) Do(_ context.Context, args ...any) (any, error) {
	conn := c.pool.Get()
	defer conn.Close()
	reply, err := conn.Do(args[0].(string), args[1:]...)
	if err != nil {
		return nil, errors.Join(errors.New("as some clients wrap it"), err)
	}
	return inStrings(reply), nil
}

func inStrings(reply any) any {
	switch reply := reply.(type) {
	case []byte:
		return string(reply)
	case []any:
		for i := range reply {
			reply[i] = inStrings(reply[i])
		}
	}
	return reply
}

func TestConformance_Client(t *testing.T) {
	t.Parallel()
	s := redisstore.NewFromClient(newPlainClient(t, redistest.Shared(t).Addr()), redistest.Prefix(t))
	storetest.Run(t, storetest.Harness{Open: func(*testing.T) store.Store { return s }})
}

// The client knows nothing of contexts, and the server answers nobody.
func TestClient_EveryCallKeepsItsDeadline(t *testing.T) {
	server := redistest.Start(t)
	s := redisstore.NewFromClient(newPlainClient(t, server.Addr()), "")
	create(t, s, "id", "data")
	server.Freeze(t)
	for _, m := range methods {
		began := time.Now()
		err := m.call(within(t, 100*time.Millisecond), s)
		if took := time.Since(began); took > 100*time.Millisecond+slack {
			t.Errorf("%s returned after %v", m.name, took)
		}
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrNotApplied) {
			t.Errorf("%s: %v, want DeadlineExceeded", m.name, err)
		}
	}
	server.Thaw(t)
}

// A client may have sent twice what was then refused: it is not certain that nothing
// was written. Only a call that was not made is.
func TestClient_NothingIsKnownOfAWriteThatFailed(t *testing.T) {
	server := redistest.Start(t)
	s := redisstore.NewFromClient(newPlainClient(t, server.Addr()), "")
	server.Do(t, "REPLICAOF", "127.0.0.1", "1")
	err := s.Swap(t.Context(), "id", store.Version{}, newRecord(""))
	if err == nil || errors.Is(err, store.ErrNotApplied) {
		t.Errorf("%v, want an error that doesn't wrap ErrNotApplied", err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Swap(done, "id", store.Version{}, newRecord("")); !errors.Is(err, store.ErrNotApplied) {
		t.Errorf("%v, want ErrNotApplied of a call that was not made", err)
	}
}

func TestNewFromClient_PanicsWithoutAClient(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	redisstore.NewFromClient(nil, "")
}

// A client that panics does so in the goroutine of the request, where net/http is
// prepared for it.
func TestClient_APanicReachesTheCaller(t *testing.T) {
	s := redisstore.NewFromClient(panics{}, "")
	for _, m := range methods {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "redisstore: the client panicked: a bug") {
					t.Errorf("%s: panic %q, want the client's", m.name, text)
				}
			}()
			m.call(t.Context(), s)
		}()
	}
}

type panics struct{}

func (panics) Do(context.Context, ...any) (any, error) { panic("a bug") }
