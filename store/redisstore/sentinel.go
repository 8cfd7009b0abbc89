package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/FZambia/sentinel/v2"
	"github.com/gomodule/redigo/redis"
)

// questionTimeout bounds each step of asking a server where the data is. So some
// that don't answer still leave time for others in a request's deadline.
const questionTimeout = 300 * time.Millisecond

// suspicionPause is how long after one look at where the data is a failure
// causes no other.
const suspicionPause = time.Second / 4

// watched is the backend of a master that Sentinel watches. It is a node whose
// every new connection leads to what is the master by then, and whose connections
// to a former master are closed as soon as that is known.
//
// A master that has vanished or hangs leaves failures behind. Each makes the
// backend look, in the background, whether there is a new master by now.
type watched struct {
	*node
	master  shared[string]
	servers dialer

	mu        sync.Mutex
	sentinels []*watcher // the one that answered last first
	connected string     // the master that connections lead to
	closed    bool
}

func openWatched(t target, o Options) *watched {
	w := &watched{servers: t.servers}
	asks := t.sentinels.within(questionTimeout)
	for _, address := range t.addresses {
		w.sentinels = append(w.sentinels, newWatcher(asks, address, t.master))
	}
	w.master.ask = w.findMaster
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

// suspect looks whether there is a new master, if err gives reason to.
func (w *watched) suspect(err error) {
	w.mu.Lock()
	closed := w.closed
	w.mu.Unlock()
	if !closed && mayHaveMoved(err) {
		w.master.start(suspicionPause)
	}
}

// findMaster asks one sentinel after the other until one names a server that says
// itself that it is a master. After a failover, some may not know of it yet.
func (w *watched) findMaster() (string, error) {
	w.mu.Lock()
	all := slices.Clone(w.sentinels)
	w.mu.Unlock()
	defer w.closeAgain()
	var failure error
	asked := map[string]bool{}
	for _, s := range all {
		address, err := s.master()
		if err != nil {
			failure = errors.Join(failure, fmt.Errorf("the sentinel at %s: %w", s.Addrs[0], err))
			continue
		}
		if asked[address] {
			continue
		}
		asked[address] = true
		if err := w.isMaster(address); err != nil {
			failure = errors.Join(failure, fmt.Errorf("the server at %s, which is said to be the master: %w", address, presentable(err)))
			continue
		}
		w.found(s, address)
		return address, nil
	}
	return "", failure
}

var errNoMaster = errors.New("it is a replica")

func (w *watched) isMaster(address string) error {
	conn, err := w.servers.within(questionTimeout).dial(context.Background(), address)
	if err != nil {
		return err
	}
	defer conn.Close()
	is, err := sentinel.TestRole(conn, "master")
	if err == nil && !is {
		err = errNoMaster
	}
	return err
}

// found closes connections to a former master, and remembers which sentinel to ask
// first.
func (w *watched) found(s *watcher, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.sentinels, s)
	w.sentinels[0], w.sentinels[i] = w.sentinels[i], w.sentinels[0]
	if w.connected != "" && w.connected != address {
		w.node.epoch.Add(1)
	}
	w.connected = address
}

func (w *watched) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.closeAgain()
	return w.node.close()
}

// closeAgain closes connections to sentinels, if the store was closed. The package
// makes new ones for a question that is asked later.
func (w *watched) closeAgain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sentinels {
		if w.closed {
			s.Close()
		}
	}
}

// A watcher is one sentinel. The package could ask several, but would leave some
// out when others don't answer.
type watcher struct {
	sentinel.Sentinel
	undialled error // of the last question
}

func newWatcher(d dialer, address, master string) *watcher {
	w := &watcher{Sentinel: sentinel.Sentinel{Addrs: []string{address}, MasterName: master}}
	w.Dial = func(string) (redis.Conn, error) {
		conn, err := d.dial(context.Background(), address)
		w.undialled = err
		return conn, err
	}
	return w
}

// master asks for the master's address. It is for one goroutine at a time.
func (w *watcher) master() (string, error) {
	w.undialled = nil
	address, err := w.MasterAddr()
	switch {
	case err == nil:
		return address, nil
	case w.undialled != nil:
		return "", presentable(w.undialled)
	case strings.HasSuffix(err.Error(), redis.ErrNil.Error()):
		return "", errors.New("it watches no master of the name in the URL")
	}
	_, text, _ := strings.Cut(err.Error(), "last error: ")
	return "", flattened(text)
}
