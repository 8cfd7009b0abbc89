package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/FZambia/sentinel/v2"
	"github.com/gomodule/redigo/redis"
)

// watchPause is how often the sentinels are asked while all is well. A master that is cut
// off from all but this app goes on answering, and has been replaced.
const watchPause = time.Second

// watched is the backend of a master that Sentinel watches. It is a node whose
// every new connection leads to what is the master by then, and whose connections
// to a former master are closed as soon as that is known.
//
// The backend looks in the background whether there is a new master by now: after each
// failure that may mean that, and every now and then while there are calls.
type watched struct {
	*node
	name      string // of the master, for the sentinels
	servers   dialer
	sentinels dialer
	master    *shared[string]

	looked stopwatch // since a success has last made it look

	mu        sync.Mutex
	addresses []string // of the sentinels, the one that answered last first
	connected string   // the master that connections lead to
}

func openWatched(t target, o Options) *watched {
	w := &watched{name: t.master, servers: t.servers, sentinels: t.sentinels, addresses: t.addresses}
	w.master = newShared(o.DialTimeout, w.findMaster)
	w.node = openNode(o, func(ctx context.Context) (redis.Conn, error) {
		address, err := w.master.wait(ctx)
		if err != nil {
			return nil, err
		}
		return w.servers.dial(ctx, address)
	})
	return w
}

func (w *watched) do(ctx context.Context, c command) (any, error) {
	reply, err := w.node.do(ctx, c)
	w.suspect(err)
	return reply, err
}

func (w *watched) pipeline(ctx context.Context, cs []command) ([]any, error) {
	replies, err := w.node.pipeline(ctx, cs)
	w.suspect(err)
	return replies, err
}

// suspect looks whether there is a new master, soon if err gives reason to.
func (w *watched) suspect(err error) {
	switch {
	case mayHaveMoved(err):
		w.master.start(suspicionPause)
	case w.looked.past(watchPause):
		w.master.start(watchPause)
	}
}

// A nomination is what a sentinel says, and the server confirms.
type nomination struct{ sentinel, master string }

// findMaster asks the sentinels until one names a server that says itself that it is a
// master. After a failover, some may not know of it yet. If none of them answers, what was
// the master is asked whether it still is: it need not suffer from the end of those that
// watch it.
func (w *watched) findMaster(ctx context.Context) (string, error) {
	w.mu.Lock()
	asked, last := slices.Clone(w.addresses), w.connected
	w.mu.Unlock()
	if last != "" {
		asked = append(asked, unwatched)
	}
	n, err := firstAnswer(ctx, asked, func(ctx context.Context, sentinel string) (nomination, error) {
		if sentinel == unwatched {
			return w.confirmed(ctx, nomination{unwatched, last})
		}
		return w.ask(ctx, sentinel)
	})
	if err != nil {
		return "", err
	}
	w.found(n)
	return n.master, nil
}

// unwatched stands for no sentinel.
const unwatched = ""

// ask asks one sentinel, and then the server that it names.
func (w *watched) ask(ctx context.Context, sentinel string) (nomination, error) {
	master, err := w.masterOf(ctx, sentinel)
	if err != nil {
		return nomination{}, fmt.Errorf("the sentinel at %s: %w", sentinel, err)
	}
	return w.confirmed(ctx, nomination{sentinel, master})
}

func (w *watched) confirmed(ctx context.Context, n nomination) (nomination, error) {
	if err := w.isMaster(ctx, n.master); err != nil {
		return nomination{}, fmt.Errorf("the server at %s, which is said to be the master: %w", n.master, presentable(err))
	}
	return n, nil
}

// masterOf asks a sentinel for the master's address.
func (w *watched) masterOf(ctx context.Context, address string) (string, error) {
	var undialled error
	// The package could ask several, but would leave some out when others don't answer.
	s := sentinel.Sentinel{Addrs: []string{address}, MasterName: w.name, Dial: func(string) (conn redis.Conn, err error) {
		conn, undialled = w.sentinels.dialBound(ctx, address)
		return conn, undialled
	}}
	defer s.Close()
	master, err := sensibly(s.MasterAddr)
	switch {
	case err == nil:
		return master, nil
	case undialled != nil:
		return "", presentable(undialled)
	case strings.HasSuffix(err.Error(), redis.ErrNil.Error()):
		return "", errors.New("it watches no master of the name in the URL")
	}
	_, text, _ := strings.Cut(err.Error(), "last error: ")
	return "", flattened(text)
}

var errNoMaster = errors.New("it is a replica")

func (w *watched) isMaster(ctx context.Context, address string) error {
	conn, err := w.servers.dialBound(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	is, err := sensibly(func() (bool, error) { return sentinel.TestRole(conn, "master") })
	if err == nil && !is {
		err = errNoMaster
	}
	return err
}

// found closes connections to a former master, and remembers which sentinel to ask
// first.
func (w *watched) found(n nomination) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.addresses, n.sentinel); i > 0 {
		w.addresses[0], w.addresses[i] = w.addresses[i], w.addresses[0]
	}
	if w.connected != "" && w.connected != n.master {
		w.node.epoch.Add(1)
	}
	w.connected = n.master
}

func (w *watched) close() error {
	w.master.close()
	return w.node.close()
}

// sensibly calls the package, and takes an answer that makes it panic for one that makes
// no sense.
func sensibly[T any](ask func() (T, error)) (answer T, err error) {
	defer func() {
		if recover() != nil {
			err = errReply
		}
	}()
	return ask()
}

// A stopwatch says now and then, to one of many goroutines, that some time has passed.
type stopwatch struct{ last atomic.Int64 } // since started; 0: never

var started = time.Now() // with a clock that nobody sets

func (w *stopwatch) past(d time.Duration) bool {
	now, last := int64(time.Since(started)), w.last.Load()
	return (last == 0 || now-last >= int64(d)) && w.last.CompareAndSwap(last, now)
}
