package redistest

import (
	"bufio"
	"net"
	"sync"
	"testing"
	"time"
)

// quiet is how long a client must have sent nothing before the proxy passes on
// what it has. So a pipeline that arrives in pieces counts as one round trip.
const quiet = 2 * time.Millisecond

// Proxy stands between clients and a server, counts round trips and breaks
// things on command. All methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	closed bool
	conns  map[*link]bool
	peak   int
	total  int
	trips  int
	drop   bool
	delay  time.Duration
	gate   *Gate
}

// link is a client's connection and its counterpart.
type link struct {
	client, server net.Conn
	waiting        int // replies that the client is waiting for; guarded by Proxy.mu
}

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// Gate holds replies back.
type Gate struct {
	// Held receives a value for each reply that has arrived at the gate: its
	// command has been carried out.
	Held <-chan struct{}

	held    chan struct{}
	open    chan struct{}
	release sync.Once
}

// Release lets all replies pass. It may be called more than once.
func (g *Gate) Release() { g.release.Do(func() { close(g.open) }) }

// NewProxy returns a proxy in front of the server at target, a host:port. It ends
// with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	p := &Proxy{listener: listener, target: target, conns: map[*link]bool{}}
	var running sync.WaitGroup
	running.Go(func() { p.accept(&running) })
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		p.closed = true
		if p.gate != nil {
			p.gate.Release()
		}
		p.mu.Unlock()
		p.Cut()
		running.Wait()
	})
	return p
}

// Addr returns the host:port where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// URL returns the proxy's address as a redis URL.
func (p *Proxy) URL() string { return "redis://" + p.Addr() }

// Trips returns the number of round trips since the last call of Trips: times
// that a client with no reply outstanding sent something. What it sends at once
// counts once, however many commands there are.
func (p *Proxy) Trips() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.trips
	p.trips = 0
	return n
}

// Conns returns how many connections are open, and how many were at most.
func (p *Proxy) Conns() (open, peak int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns), p.peak
}

// Accepted returns how many connections there were so far.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// DropReply swallows the next reply and cuts its connection: the command was
// carried out, and its sender never hears of it.
func (p *Proxy) DropReply() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop = true
}

// Delay lets each reply from now on arrive that much later, as over a long way.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Hold holds all replies from now on until the gate is released.
func (p *Proxy) Hold() *Gate {
	held := make(chan struct{}, 1024)
	g := &Gate{Held: held, held: held, open: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gate != nil {
		p.gate.Release()
	}
	p.gate = g
	return g
}

// Cut closes all connections that are open now.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.conns {
		l.close()
	}
}

func (p *Proxy) accept(running *sync.WaitGroup) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		l := &link{client: client, server: server}
		p.mu.Lock()
		p.conns[l] = true
		p.peak = max(p.peak, len(p.conns))
		p.total++
		if p.closed {
			l.close()
		}
		p.mu.Unlock()
		running.Go(func() {
			var both sync.WaitGroup
			both.Go(func() { p.requests(l) })
			both.Go(func() { p.replies(l) })
			both.Wait()
			p.mu.Lock()
			delete(p.conns, l)
			p.mu.Unlock()
		})
	}
}

func (p *Proxy) requests(l *link) {
	defer l.close()
	r := bufio.NewReader(l.client)
	for {
		batch, err := readMessage(r)
		commands := 1
		for err == nil && more(l.client, r) {
			batch, err = appendMessage(batch, r)
			commands++
		}
		if err != nil {
			return
		}
		p.mu.Lock()
		if l.waiting == 0 {
			p.trips++
		}
		l.waiting += commands
		p.mu.Unlock()
		if _, err := l.server.Write(batch); err != nil {
			return
		}
	}
}

// more reports whether the client goes on sending.
func more(client net.Conn, r *bufio.Reader) bool {
	client.SetReadDeadline(time.Now().Add(quiet))
	defer client.SetReadDeadline(time.Time{})
	_, err := r.Peek(1)
	return err == nil
}

func (p *Proxy) replies(l *link) {
	defer l.close()
	r := bufio.NewReader(l.server)
	for {
		reply, err := readMessage(r)
		if err != nil {
			return
		}
		p.mu.Lock()
		gate, drop, delay := p.gate, p.drop, p.delay
		p.drop = false
		l.waiting--
		p.mu.Unlock()
		if drop {
			return
		}
		if gate != nil {
			select {
			case gate.held <- struct{}{}:
			default:
			}
			<-gate.open
		}
		time.Sleep(delay)
		if _, err := l.client.Write(reply); err != nil {
			return
		}
	}
}
